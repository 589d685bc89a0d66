// SPDX-License-Identifier: GPL-2.0
#include "luo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/liveupdate.h>

#define SESSIONS 64

struct session {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH]; /* "" : free */
	int fd;
	bool incoming;
	unsigned int files;
};

static struct session sessions[SESSIONS];

static struct session *find(const char *name)
{
	for (size_t i = 0; i < SESSIONS; i++)
		if (!strcmp(sessions[i].name, name))
			return &sessions[i];
	return NULL;
}

/* The session named @name; @incoming has to fit. NULL with @e filled. */
static struct session *known(const char *name, bool incoming, struct hf_err *e)
{
	struct session *s = *name ? find(name) : NULL;

	if (!s)
		hf_fail(e, ENOENT, "session \"%s\"", name);
	else if (s->incoming != incoming)
		hf_fail(e, EBUSY, "session \"%s\" is %s", name,
			s->incoming ? "incoming" : "outgoing");
	else
		return s;
	return NULL;
}

static int open_session(const char *name, bool incoming, struct hf_err *e)
{
	struct liveupdate_ioctl_retrieve_session get = { .size = sizeof(get) };
	struct liveupdate_ioctl_create_session new = { .size = sizeof(new) };
	struct session *s = find("");
	int luo, err = 0;

	if (!*name || strlen(name) >= sizeof(s->name))
		return hf_fail(e, EINVAL, "session name \"%s\"", name);
	if (!s)
		return hf_fail(e, EMFILE, "session \"%s\"", name);
	luo = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (luo < 0)
		return hf_fail(e, errno, "open /dev/liveupdate");
	snprintf((char *)new.name, sizeof(new.name), "%s", name);
	snprintf((char *)get.name, sizeof(get.name), "%s", name);
	if (incoming && ioctl(luo, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &get) < 0)
		err = hf_fail(e, errno, "RETRIEVE_SESSION \"%s\"", name);
	if (!incoming && ioctl(luo, LIVEUPDATE_IOCTL_CREATE_SESSION, &new) < 0)
		err = hf_fail(e, errno, "CREATE_SESSION \"%s\"", name);
	close(luo);
	if (err)
		return err;
	strcpy(s->name, name);
	s->fd = incoming ? get.fd : new.fd;
	s->incoming = incoming;
	s->files = 0;
	/* A child that inherits a session would keep it from being cancelled. */
	fcntl(s->fd, F_SETFD, FD_CLOEXEC);
	return s->fd;
}

static int create_or_retrieve(const char *name, bool incoming, bool *made, struct hf_err *e)
{
	struct session *s;

	*made = !*name || !find(name);
	if (*made)
		return open_session(name, incoming, e);
	s = known(name, incoming, e);
	return s ? s->fd : -e->num;
}

int hf_luo_create(const char *name, bool *made, struct hf_err *e)
{
	return create_or_retrieve(name, false, made, e);
}

int hf_luo_retrieve(const char *name, struct hf_err *e)
{
	bool made;

	return create_or_retrieve(name, true, &made, e);
}

static void drop(struct session *s)
{
	close(s->fd);
	s->name[0] = 0;
}

int hf_luo_close(const char *name, struct hf_err *e)
{
	struct session *s = *name ? find(name) : NULL;

	if (!s)
		return hf_fail(e, ENOENT, "session \"%s\"", name);
	drop(s);
	return 0;
}

int hf_luo_finish(const char *name, struct hf_err *e)
{
	struct liveupdate_session_finish fin = { .size = sizeof(fin) };
	struct session *s = known(name, true, e);

	if (!s)
		return -e->num;
	if (ioctl(s->fd, LIVEUPDATE_SESSION_FINISH, &fin) < 0)
		return hf_fail(e, errno, "FINISH session \"%s\"", name);
	drop(s);
	return 0;
}

static struct session *by_fd(int fd)
{
	for (size_t i = 0; i < SESSIONS; i++)
		if (sessions[i].name[0] && sessions[i].fd == fd)
			return &sessions[i];
	return NULL;
}

int hf_luo_preserve_fd(int session, int fd, uint64_t token, const char *what, struct hf_err *e)
{
	struct liveupdate_session_preserve_fd arg = {
		.size = sizeof(arg),
		.fd = fd,
		.token = token,
	};
	struct session *s = by_fd(session);

	if (ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg) < 0)
		return hf_fail(e, errno, "PRESERVE_FD %s", what);
	if (s)
		s->files++;
	return 0;
}

int hf_luo_retrieve_fd(int session, uint64_t token, const char *what, struct hf_err *e)
{
	struct liveupdate_session_retrieve_fd arg = {
		.size = sizeof(arg),
		.token = token,
	};

	if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg) < 0)
		return hf_fail(e, errno, "RETRIEVE_FD %s", what);
	fcntl(arg.fd, F_SETFD, FD_CLOEXEC);
	return arg.fd;
}

unsigned int hf_luo_preserved(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < SESSIONS; i++)
		if (sessions[i].name[0] && !sessions[i].incoming)
			n += sessions[i].files;
	return n;
}
