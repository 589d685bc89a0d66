# SPDX-License-Identifier: GPL-2.0
#
# The front door. Each target is one script; `make help` says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DEFAULT_GOAL := help

KERNEL ?= 7.2
BUILD ?= build
override BUILD := $(abspath $(BUILD))
export BUILD

.PHONY: help demo demo-vm check check-vm check-debug lint lab kernel kernels guest cli install bench tests deps clean distclean

help:
	@cat scripts/help.txt

demo:
	@scripts/demo $(KERNEL)

demo-vm:
	@scripts/demo-vm

check:
	@scripts/check

check-vm:
	@scripts/check-vm

check-debug:
	@scripts/check-debug

lint:
	@scripts/deps build lint
	@scripts/lint

lab:
	@scripts/lab $(KERNEL)

kernel:
	@scripts/deps build
	@scripts/optional kernel/build $(KERNEL) $(KERNEL)-b

kernels:
	@scripts/deps build
	@kernel/build 7.2 7.2-b 7.2-stock 7.2-off
	@scripts/optional kernel/build 7.3

guest:
	@scripts/deps build
	@scripts/guest

cli:
	@scripts/deps build
	@scripts/cli

# Gets nothing: what is missing to build it is said. DESTDIR=DIR and meson's own prefix decide where to.
install:
	@scripts/cli
	@meson install -C "$(BUILD)/cli/meson" $(if $(DESTDIR),--destdir "$(DESTDIR)")

bench:
	@scripts/deps build check
	@$(MAKE) -C tests/persona bench BUILD="$(BUILD)"

tests:
	@scripts/deps build check
	@$(MAKE) -C tests check BUILD="$(BUILD)"

deps:
	@scripts/deps build lab check lint

# The results and everything compiled; the unpacked kernel source stays.
clean:
	rm -rf "$(BUILD)"/{kernel,agent,guest,cli,lab,tests,uapi,check} "$(BUILD)"/tree/*/obj{,-*} "$(BUILD)"/src/*/obj

distclean:
	rm -rf "$(BUILD)"
