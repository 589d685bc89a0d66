// SPDX-License-Identifier: GPL-2.0
/*
 * The policy with one row missing, named by the environment variable DROP_ROW:
 * the negative twin of every test of the policy. Linked instead of
 * policy_table.c.
 */
#define pci_lu_policy_rows pci_lu_policy_rows_complete
#include "policy_table.c"
#undef pci_lu_policy_rows

#include <stdlib.h>

const struct pci_lu_row *pci_lu_policy_rows(unsigned int *n)
{
	static struct pci_lu_row rows[ARRAY_SIZE(pci_lu_rows)];
	const char *name;
	unsigned int i;

	*n = ARRAY_SIZE(pci_lu_rows);
	if (rows[0].name)
		return rows;

	memcpy(rows, pci_lu_rows, sizeof(rows));
	name = getenv("DROP_ROW");
	for (i = 0; name && i < *n; i++)
		if (!strcmp(rows[i].name, name))
			rows[i].kinds = 0;

	return rows;
}
