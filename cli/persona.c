// SPDX-License-Identifier: GPL-2.0
/* `holdfast persona`: what config space a VM sees of a device. */
#include "persona.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct command {
	const char *name, *usage;
	int (*run)(const struct persona_args *a);
	int min, max;
};

static const struct command commands[] = {
	{ "show", "show [--json] BDF|FILE", persona_show, 1, 1 },
	{ "check", "check [--instance NAME] [--json] MAP BDF|FILE", persona_check, 2, 2 },
	{ "render", "render [--instance NAME] [--bits] [--json] MAP BDF|FILE", persona_render, 2,
	  2 },
	{ "diff", "diff [--map MAP [--instance NAME]] [--json] BDF|FILE BDF|FILE", persona_diff, 2,
	  2 },
	{ "compat", "compat [--instance NAME] [--json] MAP BDF|FILE...", persona_compat, 2, 4096 },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(FILE *out)
{
	fputs("Usage:\n", out);
	for (unsigned int i = 0; i < COMMANDS; i++)
		fprintf(out, "  holdfast persona %s\n", commands[i].usage);
	fputs("\n"
	      "What config space a VM sees of a PCI device, by a map: persona-map(5).\n"
	      "FILE is the text of `lspci -xxxx` (better: -vvxxxx) or the file config of sysfs.\n"
	      "\n"
	      "  show     derive a map from a device, as a start\n"
	      "  check    can the device be this persona, and if not, why\n"
	      "  render   what the guest sees, as `lspci -xxxx` writes it; --bits: what becomes of each bit\n"
	      "  diff     what a guest would notice if the second took the place of the first\n"
	      "  compat   for which of these devices is the persona honoured\n"
	      "\n"
	      "  --instance NAME   the refinement of the map for this instance type\n"
	      "  --map MAP         compare as a guest with this persona sees it\n"
	      "  --verbose         notes, too: what the guest will not see\n"
	      "  --json            for programs\n"
	      "\n"
	      "Exit status: 0 yes, 1 failed, 2 wrong usage, 3 no: refused, or the guest would notice.\n",
	      out);
	return out == stdout ? CLI_OK : CLI_USAGE;
}

static const struct command *find(const char *name)
{
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int cmd_persona(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "instance", required_argument, NULL, 'i' },
		{ "map", required_argument, NULL, 'm' },
		{ "bits", no_argument, NULL, 'b' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "sysfs", required_argument, NULL, 's' },
		{ 0 },
	};
	struct persona_args a = { .sysfs = "/sys" };
	const struct command *c;
	int o;

	while ((o = getopt_long(argc, argv, "hjv", options, NULL)) != -1) {
		switch (o) {
		case 'h':
			return help(stdout);
		case 'j':
			a.json = true;
			break;
		case 'i':
			a.instance = optarg;
			break;
		case 'm':
			a.map = optarg;
			break;
		case 'b':
			a.bits = true;
			break;
		case 'v':
			a.verbose = true;
			break;
		case 's':
			a.sysfs = optarg;
			break;
		default:
			return help(stderr);
		}
	}
	if (optind == argc)
		return help(stderr);
	c = find(argv[optind]);
	if (!c) {
		fprintf(stderr, "holdfast: there is no command \"persona %s\"\n", argv[optind]);
		return help(stderr);
	}
	a.arg = argv + optind + 1;
	a.n = argc - optind - 1;
	if (a.n >= c->min && a.n <= c->max)
		return c->run(&a);
	fprintf(stderr, "usage: holdfast persona %s\n", c->usage);
	return CLI_USAGE;
}
