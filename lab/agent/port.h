/* SPDX-License-Identifier: GPL-2.0 */
/* The virtio-serial port to the runner. */
#ifndef HF_PORT_H
#define HF_PORT_H

#include <stddef.h>

/*
 * Find the port named holdfast.ctl and open it; waits up to @timeout_ms for the
 * kernel to announce it. Return: 0 or -errno.
 */
int hf_port_open(int timeout_ms);
/* Send one line; returns when the host has taken it. */
void hf_port_send(const char *line, size_t len);
/*
 * Next line, without its newline, at most @size - 1 bytes and terminated;
 * waits for it. Return: its length, or -EMSGSIZE for a line that was too long
 * (and is dropped).
 */
long hf_port_recv(char *line, size_t size);

#endif
