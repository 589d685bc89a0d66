// SPDX-License-Identifier: GPL-2.0
/* `holdfast persona` alone, under sanitizers, for the tests. */
#include "persona.h"

int main(int argc, char **argv)
{
	return cmd_persona(argc, argv);
}
