/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the small VMM. All of them end the process if something is not right. */
#ifndef FAKE_VM_H
#define FAKE_VM_H

#include <stdbool.h>

/*
 * Write all there is to see of the VM into DIR/NAME: descriptors, memory, objects,
 * mappings, interrupts, environment. @woken: as if each trigger had been signalled.
 */
void fake_vm_write(const char *dir, const char *name, bool woken);

/* Compare it, less descriptor @except, with DIR/NAME. */
void fake_vm_compare(const char *dir, const char *name, int except);

void fake_vm_check_state(const char *path);

/* Be QEMU on @fd until the other end closes. Return: whether the VM has taken over. */
bool fake_vm_qmp(int fd, const char *mode);

#endif
