# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by every script of the front door: where things are, how we speak,
# how we fail.
#
# Exit codes: 0 done, 1 it is broken, 2 called wrongly, 75 the machine is in
# the way (network, disk, packages: try again later), 77 not to be had, skip.

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath -m -- "${BUILD:-$root/build}")
cache=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/holdfast}
jobs=${JOBS:-$(nproc)}

say() { printf 'holdfast: %s\n' "$*"; }

# die CODE SENTENCE…
die() {
	local code=$1
	shift
	printf 'holdfast: error: %s\n' "$*" >&2
	exit "$code"
}

# need_space DIR GIGABYTES WHAT: says how much is missing where, up front.
need_space() {
	local dir=$1 want=$2 what=$3 have
	while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
	have=$(df -Pk -- "$dir" | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
	if [ "$have" -lt "$want" ]; then
		die 75 "$what needs $want GB free under $dir, and there are $have GB:" \
			"free some space, or put the build elsewhere with BUILD=DIR."
	fi
}

duration() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }

# progress WHAT EXPECTED: counts the lines on stdin against the number we
# expect (0: unknown) and shows how far we are, on a terminal only.
progress() {
	local what=$1 expected=$2 n=0 start=$SECONDS shown=-1 spent pct
	while IFS= read -r _; do
		n=$((n + 1))
		if [ ! -t 1 ] || [ "$SECONDS" = "$shown" ]; then continue; fi
		shown=$SECONDS
		spent=$((SECONDS - start))
		if [ "$expected" -gt 0 ]; then
			pct=$((n * 100 / expected))
			[ "$pct" -lt 100 ] || pct=99
			printf '\rholdfast: %s: %d %% (%d of %d)' "$what" "$pct" "$n" "$expected"
			if [ "$spent" -ge 5 ] && [ "$n" -lt "$expected" ]; then
				printf ', %s left' \
					"$(duration $((spent * (expected - n) / n)))"
			fi
		else
			printf '\rholdfast: %s: %d steps' "$what" "$n"
		fi
		printf '\033[K'
	done
	if [ -t 1 ]; then printf '\r\033[K'; fi
}
