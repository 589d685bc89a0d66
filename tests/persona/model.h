/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device as bad as it can be: every bit of its config space can be written, or is cleared
 * by writing 1. And what has to become of it, bit by bit, when a guest writes.
 */
#ifndef PERSONA_MODEL_H
#define PERSONA_MODEL_H

#include <holdfast/persona.h>

struct oracle;

struct device {
	_Alignas(8) uint8_t reg[4096], rw1c[4096], zero[4096]; /* zero: bits that are never set */
	struct hf_phys hw;
	bool open[4096]; /* bytes in which the map passes a bit */
	unsigned int reads, writes;
	unsigned int bad; /* accesses not aligned, of no width there is, or to bytes not open */
	int fail; /* what the next access returns */
};

/* Which bits of the device a byte of the guest is, by whom it has to be known. */
struct oracle {
	uint16_t phys[4096];
	uint8_t pass[4096];
};

struct bits {
	uint16_t guest, phys; /* offsets */
	uint8_t width;
	uint32_t mask;
};

struct shape {
	const char *map, *dump;
	const struct bits *pass; /* ends with a width of 0; guest and phys */
	const struct bits *rw1c; /* of the device: phys only */
};

/* Config space of @c, all bits writable. */
void device_init(struct device *d, const struct hf_cfg *c);
void device_rw1c(struct device *d, const struct bits *b);
/*
 * In a register that the guest has a part of, some bit is reserved, as in all there are: none
 * reads as all ones, which is what a device reads as that is not there.
 */
void device_reserve(struct device *d, const struct oracle *o);
/* Other contents; RW1C bits are mostly set, so that what clears them shows. */
void device_scramble(struct device *d, uint32_t seed);
void oracle_init(struct oracle *o, const struct bits *b);
/* From what the library says of itself, for fuzzing. */
void oracle_from_view(struct oracle *o, const struct hf_view *v);
/* What @d has to hold after this write. */
void oracle_write(const struct oracle *o, const struct device *d, uint8_t after[4096], uint16_t off,
		  uint8_t size, uint32_t value);

/* From $PERSONA_SRC: the folder that has persona/ and tests/. NULL if it fails. */
struct hf_cfg *load_dump(const char *name);
struct hf_persona *load_map(const char *name, const char *instance);
struct hf_view *load_view(const char *map, const char *dump);

static inline uint32_t random32(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
