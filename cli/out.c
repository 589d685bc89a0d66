// SPDX-License-Identifier: GPL-2.0
#include "out.h"

#include <stdio.h>

void cli_put_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
