// SPDX-License-Identifier: GPL-2.0
/* holdfast vm: which subcommand? */
#include "../cli.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/util.h>

static const struct cli_command *const commands[] = {
	&cli_vm_save, &cli_vm_kexec, &cli_vm_cancel, &cli_vm_resume, &cli_vm_list,
};

static const char *verb(const struct cli_command *c)
{
	return c->name + strlen("vm ");
}

static void help(FILE *out)
{
	fputs("Usage: holdfast vm COMMAND\n\nCommands:\n", out);
	for (size_t i = 0; i < HF_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %s %s\n", verb(commands[i]), commands[i]->usage);
	fputs("\nEach has --help. The whole procedure is in holdfast-vm(1).\n", out);
}

int cli_vm(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < HF_ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], verb(commands[i])))
			return commands[i]->run(argc - 1, argv + 1);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help(stdout);
		return CLI_OK;
	}
	if (argc > 1)
		cli_say("there is no command \"vm %s\"", argv[1]);
	help(stderr);
	return CLI_USAGE;
}
