/* SPDX-License-Identifier: GPL-2.0 */
/* What a command of `holdfast` ends with. */
#ifndef HF_CLI_OUT_H
#define HF_CLI_OUT_H

#include <json-c/json.h>

/* Exit status: done, failed, wrong usage, refused. */
enum { CLI_OK, CLI_FAILED, CLI_USAGE, CLI_REFUSED };

/* To stdout, over several lines, and freed. */
void cli_put_json(struct json_object *o);

#endif
