# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel scripts share. Sourced after scripts/common.sh.
#
# A kernel is named SERIES[-VARIANT]:
#   7.2        ours
#   7.2-b      ours again under another release string: the kernel to go to
#   7.2-stock  the same configuration without our patches: the baseline
#   7.2-off    ours with every option of ours off
#   7.2-lockdep, 7.2-kasan  ours with checks that cost too much to be always on
#
#   build/src/SERIES     the source as unpacked; -stock is built in it, in obj/
#   build/tree/SERIES    the same with our overlay and patches; obj/, obj-off/, …
#   build/kernel/NAME    bzImage, .config, System.map, build.log
#
# Object directories lie inside their source tree, because then every path that the
# kernel's build records is relative: what one tree has built can seed another, and
# ccache finds it again from any clone.

overlay=$root/kernel/overlay
patches=$root/kernel/patches
config=$root/kernel/config

# kernel_name NAME: sets $series and $variant ("" for ours).
kernel_name() {
	[[ $1 =~ ^([0-9]+\.[0-9]+)(-(b|stock|off|lockdep|kasan))?$ ]] ||
		die 2 "There is no kernel called '$1': say 7.2, 7.2-b, 7.2-stock, 7.2-off, 7.2-lockdep, 7.2-kasan, or the same with 7.3."
	series=${BASH_REMATCH[1]}
	variant=${BASH_REMATCH[3]:-}
	src=$build/src/$series
	tree=$build/tree/$series
	case $variant in
	stock) obj=$src/obj ;;
	off | lockdep | kasan) obj=$tree/obj-$variant ;;
	*) obj=$tree/obj ;;
	esac
	out=$build/kernel/$1
}

# One build at a time in one build directory.
take_lock() {
	mkdir -p "$build"
	exec 9>"$build/.lock"
	flock -n 9 && return
	say "waiting for another build in $build"
	flock 9
}

# The series file without its comments.
patch_list() { sed 's/[[:space:]]*#.*//; /^[[:space:]]*$/d' "$patches/series" 2>/dev/null || true; }

overlay_files() { (cd "$overlay" && find . -type f ! -name '.*' | sed 's,^\./,,' | sort); }

# A hash of everything of ours that goes into the tree.
our_hash() {
	{
		(cd "$overlay" && overlay_files | xargs -r -d '\n' sha256sum)
		patch_list
		(cd "$root/kernel" && patch_list | sed 's,^,patches/,' | xargs -r -d '\n' sha256sum)
	} | sha256sum | cut -c1-16
}

source_id() { cat "$1/.holdfast-source" 2>/dev/null || true; }
