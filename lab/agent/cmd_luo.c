// SPDX-License-Identifier: GPL-2.0
/* luo.*: preserving slots and getting them back. */
#include "agent.h"
#include "cmd.h"
#include "luo.h"
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 80

/* Tokens name a file within its session; both kernels must compute the same. */
static uint64_t token_memfd(uint64_t slot)
{
	return slot << 8 | 1;
}

static uint64_t token_cdev(uint64_t slot)
{
	return slot << 8 | 2;
}

/* How luo.preserve is asked to do it; anything but the default is a test of a refusal. */
struct preserve_plan {
	bool cdev_first, skip_memfd, skip_cdev, punch;
	char memfd_session[NAME_MAX_LEN]; /* another session for the memfd, or "" */
};

static int get_plan(struct hf_call *c, struct preserve_plan *p)
{
	char order[16];
	int err;

	err = hf_arg_str(c, "order", "memfd-first", order, sizeof(order));
	if (!err)
		err = hf_arg_bool(c, "skip_memfd", &p->skip_memfd);
	if (!err)
		err = hf_arg_bool(c, "skip_cdev", &p->skip_cdev);
	if (!err)
		err = hf_arg_bool(c, "punch", &p->punch);
	if (!err)
		err = hf_arg_str(c, "memfd_session", "", p->memfd_session,
				 sizeof(p->memfd_session));
	if (err)
		return err;
	p->cdev_first = !strcmp(order, "cdev-first");
	if (!p->cdev_first && strcmp(order, "memfd-first"))
		return hf_fail(&c->err, EINVAL, "order \"%s\"", order);
	return 0;
}

static int preserve_memfd(const struct hf_slot *s, int fd, uint64_t slot, struct hf_err *e)
{
	char what[40];

	snprintf(what, sizeof(what), "memfd of %s", s->page->bdf);
	return hf_luo_preserve_fd(fd, s->memfd, token_memfd(slot), what, e);
}

/* The device goes on writing to the page that was there when it was mapped. */
static int punch(const struct hf_slot *s, struct hf_err *e)
{
	if (fallocate(s->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(s->page->map_len - HF_PAGE), HF_PAGE) < 0)
		return hf_fail(e, errno, "punch a hole into the memfd of %s", s->page->bdf);
	return 0;
}

static int preserve_both(const struct hf_slot *s, int fd, int memfd_fd, uint64_t slot,
			 const struct preserve_plan *p, struct hf_err *e)
{
	bool memfd = !p->skip_memfd && !s->anon;
	int err = p->punch ? punch(s, e) : 0;

	if (!err && memfd && !p->cdev_first)
		err = preserve_memfd(s, memfd_fd, slot, e);
	if (!err && !p->skip_cdev)
		err = hf_luo_preserve_fd(fd, s->dev.cdev, token_cdev(slot), s->page->bdf, e);
	if (!err && memfd && p->cdev_first)
		err = preserve_memfd(s, memfd_fd, slot, e);
	return err;
}

static int luo_preserve(struct hf_call *c)
{
	struct preserve_plan plan = { 0 };
	char name[NAME_MAX_LEN];
	bool made = false, made_other = false;
	struct hf_err undo;
	struct hf_slot *s;
	uint64_t slot, t0;
	int fd, other, err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, &slot);
	if (!err)
		err = hf_arg_str(c, "session", NULL, name, sizeof(name));
	if (!err)
		err = get_plan(c, &plan);
	if (err)
		return err;
	fd = hf_luo_create(name, &made, &c->err);
	if (fd < 0)
		return fd;
	other = fd;
	if (plan.memfd_session[0])
		other = hf_luo_create(plan.memfd_session, &made_other, &c->err);
	t0 = hf_now_us();
	err = other < 0 ? other : preserve_both(s, fd, other, slot, &plan, &c->err);
	hf_msg_u64(c->out, "took_us", hf_now_us() - t0);
	/*
	 * There is no call to take back a single file, so a session made for this
	 * device goes as a whole. One that was there before keeps its memfd.
	 */
	if (err && made)
		hf_luo_close(name, &undo);
	if (err && made_other)
		hf_luo_close(plan.memfd_session, &undo);
	return err;
}

static int luo_cancel(struct hf_call *c)
{
	char name[NAME_MAX_LEN];
	int err = hf_arg_str(c, "session", NULL, name, sizeof(name));

	return err ? err : hf_luo_close(name, &c->err);
}

static int luo_finish(struct hf_call *c)
{
	char name[NAME_MAX_LEN];
	int err = hf_arg_str(c, "session", NULL, name, sizeof(name));

	return err ? err : hf_luo_finish(name, &c->err);
}

/*
 * The running device: mappings complete first, then bind, then the attach that
 * switches it over; a peer whose BAR it reaches was retrieved before it. No register of the device is written, here or in setup.
 * @leave: close it again at once, as an owner does that dies.
 * @hold: only hold it.
 * @no_peer: leave out what it reached of a peer.
 */
static int retrieve_device(struct hf_call *c, struct hf_slot *s, int session, uint64_t slot,
			   bool leave, bool hold, bool no_peer)
{
	struct hf_vfio *v = &s->dev;
	uint64_t t0, t_map, t_bind, t_attach, pba;
	int fd, err;

	fd = hf_luo_retrieve_fd(session, token_cdev(slot), s->page->bdf, &c->err);
	if (fd < 0)
		return fd;
	hf_vfio_adopt(v, fd);
	if (leave) {
		hf_vfio_close(v);
		return 0;
	}
	if (hold)
		return 0;
	t0 = hf_now_us();
	err = hf_slot_map(s, &c->err);
	if (err)
		return err;
	t_map = hf_now_us();
	err = hf_vfio_bind(v, "", &c->err);
	if (err)
		return err;
	err = no_peer ? 0 : hf_slot_map_peer(s, &c->err);
	if (err)
		return err;
	t_bind = hf_now_us();
	err = hf_vfio_attach(v, &c->err);
	if (err)
		return err;
	t_attach = hf_now_us();
	hf_msg_u64(c->out, "t_attach_us", t_attach);
	hf_msg_u64(c->out, "map_us", t_map - t0);
	hf_msg_u64(c->out, "bind_us", t_bind - t_map);
	hf_msg_u64(c->out, "attach_us", t_attach - t_bind);

	err = hf_vfio_setup(v, &c->err);
	if (!err)
		err = hf_vfio_pba(v, &pba, &c->err);
	if (err)
		return err;
	hf_msg_u64(c->out, "pba", pba);
	err = hf_out_hw(c, v->bdf);
	return err ? err : hf_out_vconfig(c, v);
}

static int luo_retrieve(struct hf_call *c)
{
	char name[NAME_MAX_LEN], what[32];
	struct hf_slot *s;
	bool skip_cdev, leave, hold, no_peer;
	uint64_t slot;
	int fd, memfd, err;

	err = hf_arg_slot(c, HF_SLOT_FREE, &s, &slot);
	if (!err)
		err = hf_arg_str(c, "session", NULL, name, sizeof(name));
	if (!err)
		err = hf_arg_bool(c, "skip_cdev", &skip_cdev);
	if (!err)
		err = hf_arg_bool(c, "leave", &leave);
	if (!err)
		err = hf_arg_bool(c, "hold", &hold);
	if (!err)
		err = hf_arg_bool(c, "no_peer", &no_peer);
	if (err)
		return err;
	fd = hf_luo_retrieve(name, &c->err);
	if (fd < 0)
		return fd;
	snprintf(what, sizeof(what), "memfd of slot %u", (unsigned int)slot);
	memfd = hf_luo_retrieve_fd(fd, token_memfd(slot), what, &c->err);
	if (memfd < 0)
		return memfd;
	err = hf_slot_adopt(s, memfd, &c->err);
	if (!err && !skip_cdev)
		err = retrieve_device(c, s, fd, slot, leave, hold, no_peer);
	/* LUO keeps what it retrieved until finish, so this can be tried again. */
	if (err)
		hf_slot_close(s);
	return err;
}

static int luo_why(struct hf_call *c)
{
	char reason[HF_WHY_TEXT] = "";
	bool can = false;
	struct hf_slot *s;
	int err;

	err = hf_arg_slot(c, HF_SLOT_DEVICE, &s, NULL);
	if (err)
		return err;
	err = hf_vfio_why(&s->dev, &can, reason, &c->err);
	/* A kernel without the question is an answer too: it cannot preserve. */
	if (err == -ENOTTY) {
		strcpy(reason, "kernel does not answer");
		err = 0;
	}
	if (err)
		return err;
	hf_msg_bool(c->out, "can", can);
	hf_msg_str(c->out, "reason", reason);
	return 0;
}

static const struct hf_cmd luo_cmds[] = {
	{ "luo.preserve", luo_preserve }, { "luo.cancel", luo_cancel },
	{ "luo.retrieve", luo_retrieve }, { "luo.finish", luo_finish },
	{ "luo.why", luo_why },		  { NULL, NULL },
};
HF_COMMANDS(luo_cmds);
