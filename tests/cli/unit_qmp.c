// SPDX-License-Identifier: GPL-2.0
/* What a VMM says, and what is made of it. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/qmp.h>
#include <holdfast/util.h>

#include "check.h"

#define HELLO	   "{\"QMP\": {}}\r\n{\"return\": {}, \"id\": \"open\"}\r\n"
#define STATUS(s)  "{\"return\": {\"status\": \"" s "\"}, \"id\": \"status\"}\n"
#define MIGRATE(s) "{\"return\": {\"status\": \"" s "\"}, \"id\": \"migrate\"}\n"

/* @say in pieces of @piece bytes; closed after it if @close_it. */
static enum hf_qmp_verdict hear(const char *say, size_t piece, bool close_it)
{
	enum hf_qmp_verdict verdict = HF_QMP_WAIT;
	struct hf_error e = { .text = "" };
	struct hf_qmp q;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return HF_QMP_CLOSED;
	CHECK(!hf_qmp_init(&q, pair[0], &e));
	for (size_t len = strlen(say), at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		CHECK(write(pair[1], say + at, n) == (ssize_t)n);
		verdict = hf_qmp_read(&q, &e);
	}
	close(pair[1]);
	if (close_it)
		verdict = hf_qmp_read(&q, &e);
	CHECK((verdict == HF_QMP_LOST) == !!e.text[0]);
	hf_qmp_free(&q);
	close(pair[0]);
	return verdict;
}

static void verdicts(void)
{
	static const struct {
		const char *say;
		enum hf_qmp_verdict want;
	} rows[] = {
		{ "", HF_QMP_WAIT },
		{ HELLO, HF_QMP_WAIT },
		{ HELLO STATUS("inmigrate") MIGRATE("active"), HF_QMP_WAIT },
		{ HELLO STATUS("prelaunch"), HF_QMP_WAIT },
		{ HELLO STATUS("running"), HF_QMP_TAKEN },
		{ HELLO STATUS("paused"), HF_QMP_TAKEN },
		{ HELLO STATUS("inmigrate") "{\"event\": \"RESUME\"}", HF_QMP_WAIT },
		{ HELLO STATUS("inmigrate") MIGRATE("failed"), HF_QMP_LOST },
		{ HELLO MIGRATE("completed"), HF_QMP_WAIT },
		/* Not an answer to what was asked. */
		{ HELLO "{\"return\": {\"status\": \"running\"}, \"id\": \"x\"}", HF_QMP_WAIT },
		{ HELLO "{\"return\": {\"status\": 1}, \"id\": \"status\"}", HF_QMP_WAIT },
		{ HELLO "{\"return\": 1, \"id\": \"status\"} [] 3 null \"x\" ", HF_QMP_WAIT },
		{ "{\"QMP\": {}} {\"error\": {\"desc\": \"no\"}, \"id\": \"open\"}", HF_QMP_LOST },
		{ HELLO "{\"error\": {\"desc\": \"no\"}, \"id\": \"migrate\"}", HF_QMP_WAIT },
		{ "HTTP/1.0 400", HF_QMP_LOST },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++) {
		CHECK(hear(rows[i].say, 1, false) == rows[i].want);
		CHECK(hear(rows[i].say, 7, false) == rows[i].want);
		CHECK(hear(rows[i].say, 4096, false) == rows[i].want);
	}
}

static void closed(void)
{
	CHECK(hear("", 1, true) == HF_QMP_CLOSED);
	CHECK(hear(HELLO, 1, true) == HF_QMP_CLOSED);
	/* What was said before counts. */
	CHECK(hear(HELLO STATUS("running"), 4096, true) == HF_QMP_TAKEN);
}

void suite_qmp(void)
{
	RUN(verdicts);
	RUN(closed);
}
