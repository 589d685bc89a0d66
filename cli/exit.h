/* SPDX-License-Identifier: GPL-2.0 */
/* Exit status of `holdfast`: done, failed, wrong usage, refused. */
#ifndef HF_CLI_EXIT_H
#define HF_CLI_EXIT_H

enum { CLI_OK, CLI_FAILED, CLI_USAGE, CLI_REFUSED };

#endif
