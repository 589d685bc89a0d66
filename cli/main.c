// SPDX-License-Identifier: GPL-2.0
/* holdfast: the program. */
#include "cli.h"
#include "persona.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void help(FILE *out)
{
	fputs("Usage: holdfast [--version] [--help] COMMAND\n"
	      "\n"
	      "Replace the kernel of a Linux host under its running VMs, without stopping\n"
	      "their PCI passthrough devices.\n"
	      "\n"
	      "Commands:\n"
	      "  vm save|resume|cancel|kexec|list   carry a QEMU VM across the update\n"
	      "  check [NAME...]                    after it: what could the guests see change?\n"
	      "  persona show|check|render|diff|compat\n"
	      "                                     what a guest sees of a PCI device\n"
	      "\n"
	      "`holdfast vm --help` says more, holdfast(1) and holdfast-vm(1) the rest.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused, nothing changed.\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	cli_fix_stdio();
	/* "+": what follows the command is the command's. */
	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			help(stdout);
			return CLI_OK;
		case 'V':
			puts("holdfast " HF_VERSION);
			return CLI_OK;
		default:
			help(stderr);
			return CLI_USAGE;
		}
	}
	argc -= optind;
	argv += optind;
	/* For the command getopt starts anew, without the "+". */
	optind = 0;
	if (argc && !strcmp(argv[0], "vm"))
		return cli_vm(argc, argv);
	if (argc && !strcmp(argv[0], "check"))
		return cli_check.run(argc, argv);
	if (argc && !strcmp(argv[0], "persona"))
		return cmd_persona(argc, argv);
	if (argc)
		cli_say("there is no command \"%s\"", argv[0]);
	help(stderr);
	return CLI_USAGE;
}
