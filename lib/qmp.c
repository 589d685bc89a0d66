// SPDX-License-Identifier: LGPL-2.1-or-later
/* Has the VMM taken over? */
#include <holdfast/qmp.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/socket.h>

#include <holdfast/util.h>

int hf_qmp_init(struct hf_qmp *q, int fd, struct hf_error *e)
{
	*q = (struct hf_qmp){ .fd = fd, .tok = json_tokener_new() };
	if (!q->tok)
		return hf_fail_text(e, ENOMEM, "out of memory");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return hf_fail_errno(e, errno, "QMP connection");
	return 0;
}

void hf_qmp_free(struct hf_qmp *q)
{
	json_tokener_free(q->tok);
	q->tok = NULL;
}

/* A short text into a socket that is empty or nearly so: it fits. */
static void say(struct hf_qmp *q, const char *text)
{
	if (send(q->fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EAGAIN &&
	    q->verdict == HF_QMP_WAIT)
		q->verdict = HF_QMP_CLOSED;
}

void hf_qmp_ask(struct hf_qmp *q)
{
	if (!q->open)
		return;
	/* One question at a time: a VMM that is busy loading must not find a queue. */
	q->again = q->asked;
	if (q->asked)
		return;
	q->asked = true;
	say(q, "{\"execute\":\"query-status\",\"id\":\"status\"}\n"
	       "{\"execute\":\"query-migrate\",\"id\":\"migrate\"}\n");
}

static const char *str_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || json_object_get_type(v) != json_type_string)
		return "";
	return json_object_get_string(v);
}

/* The last of the two answers is there. */
static void answered(struct hf_qmp *q)
{
	q->asked = false;
	if (q->again)
		hf_qmp_ask(q);
}

static void answer(struct hf_qmp *q, const char *id, struct json_object *ret, struct hf_error *e)
{
	const char *status = str_of(ret, "status");

	if (!strcmp(id, "open")) {
		q->open = true;
		hf_qmp_ask(q);
	} else if (!strcmp(id, "status")) {
		/* What it is after the state was loaded is the guest's business. */
		if (*status && strcmp(status, "inmigrate") && strcmp(status, "prelaunch"))
			q->verdict = HF_QMP_TAKEN;
	} else if (!strcmp(id, "migrate") && strcmp(status, "failed")) {
		answered(q);
	} else if (!strcmp(id, "migrate")) {
		hf_fail_text(e, EIO, "it cannot load its state: %s", str_of(ret, "error-desc"));
		q->verdict = HF_QMP_LOST;
	}
}

static void message(struct hf_qmp *q, struct json_object *o, struct hf_error *e)
{
	const char *id = str_of(o, "id"), *event = str_of(o, "event");
	struct json_object *v = NULL;

	if (json_object_object_get_ex(o, "QMP", NULL)) {
		say(q, "{\"execute\":\"qmp_capabilities\",\"id\":\"open\"}\n");
	} else if (json_object_object_get_ex(o, "return", &v)) {
		answer(q, id, v, e);
	} else if (json_object_object_get_ex(o, "error", &v) && !strcmp(id, "open")) {
		hf_fail_text(e, EPROTO, "QMP: %s", str_of(v, "desc"));
		q->verdict = HF_QMP_LOST;
	} else if (v && !strcmp(id, "migrate")) {
		answered(q);
	} else if (!strcmp(event, "RESUME") || !strcmp(event, "STOP")) {
		hf_qmp_ask(q);
	}
}

static void parse(struct hf_qmp *q, const char *buf, size_t len, struct hf_error *e)
{
	while (len && q->verdict == HF_QMP_WAIT) {
		struct json_object *o = json_tokener_parse_ex(q->tok, buf, (int)len);
		enum json_tokener_error err = json_tokener_get_error(q->tok);
		size_t used = json_tokener_get_parse_end(q->tok);

		if (err == json_tokener_continue)
			return;
		if (err != json_tokener_success) {
			hf_fail_text(e, EPROTO, "QMP: %s", json_tokener_error_desc(err));
			q->verdict = HF_QMP_LOST;
			return;
		}
		if (json_object_get_type(o) == json_type_object)
			message(q, o, e);
		json_object_put(o);
		buf += used;
		len -= used;
		/* The line end behind it is no message. */
		while (len && strchr(" \r\n\t", *buf)) {
			buf++;
			len--;
		}
	}
}

enum hf_qmp_verdict hf_qmp_read(struct hf_qmp *q, struct hf_error *e)
{
	char buf[4096];

	while (q->verdict == HF_QMP_WAIT) {
		ssize_t n = recv(q->fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			q->verdict = HF_QMP_CLOSED;
		else
			parse(q, buf, (size_t)n, e);
	}
	return q->verdict;
}
