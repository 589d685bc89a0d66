/* SPDX-License-Identifier: GPL-2.0 */
/* What the subcommands of `holdfast persona` share. */
#ifndef HF_CLI_PERSONA_H
#define HF_CLI_PERSONA_H

#include <stdbool.h>

#include <json-c/json.h>

#include <holdfast/persona.h>

#include "out.h"

/* `holdfast persona ...`: argv[0] is "persona". Return: exit code. */
int cmd_persona(int argc, char **argv);

struct persona_args {
	bool json, bits, verbose;
	const char *instance; /* --instance, or NULL */
	const char *map; /* --map, or NULL */
	const char *sysfs; /* --sysfs, else "/sys" */
	char **arg; /* what is not an option */
	int n;
};

int persona_show(const struct persona_args *a);
int persona_check(const struct persona_args *a);
int persona_render(const struct persona_args *a);
int persona_diff(const struct persona_args *a);
int persona_compat(const struct persona_args *a);

/* A device: BDF or file. Return: NULL, and @d says why. */
struct hf_cfg *persona_device(const struct persona_args *a, const char *what, struct hf_diags *d);
/* Diagnostics to stderr; notes only if asked for. */
void persona_say(const struct persona_args *a, const struct hf_diags *d);
/* Why there is no answer: to stderr, or as JSON in @o, which is used up and may be NULL. */
void persona_failed(const struct persona_args *a, const struct hf_diags *d, struct json_object *o);
struct json_object *persona_json_diags(const struct hf_diags *d, enum hf_severity severity);

#endif
