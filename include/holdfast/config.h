/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Config space of the devices of a VM, as the guest sees it: what it was before the
 * update, what it is after it, and whether the guest could tell the difference.
 */
#ifndef HOLDFAST_CONFIG_H
#define HOLDFAST_CONFIG_H

#include <json-c/json.h>
#include <stddef.h>

#include <holdfast/error.h>
#include <holdfast/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Read config space of all devices of @m through their files. A device that has none of a
 * usual size is left without; one that has it and does not let it be read is an error, since
 * what the guest sees after the update could not be compared. Return: 0 or -errno.
 */
int hf_devices_read(struct hf_manifest *m, struct hf_error *e);

/*
 * Give devices a persona: the map in file @path, or "[DDDD:]BB:DD.F=PATH" for one of them. A map that
 * the device cannot honour is refused. After hf_devices_read().
 * Return: 0, -EOPNOTSUPP, -errno.
 */
int hf_devices_persona(struct hf_manifest *m, const char *path, struct hf_error *e);

/*
 * Compare what the owner of each device reads now with what it read at save, through the
 * persona if there is one. *@noticed: how many differences the guest could notice;
 * *@unknown: of how many devices it cannot be said. A device that fails does not keep
 * others from being compared.
 * Return: an object with two arrays of objects, which the caller puts.
 *
 *	changes: registers that differ: device, register, offset, before, after, bits,
 *		noticed (false: a bit of state, that changes by itself), text
 *	failed: devices that were not compared: device, reason, noticed (true: it
 *		cannot be its persona any more)
 */
struct json_object *hf_devices_compare(const struct hf_manifest *m, size_t *noticed,
				       size_t *unknown);

#ifdef __cplusplus
}
#endif

#endif
