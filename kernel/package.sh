# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Debian's packages of a kernel series, from the suites that carry it. Sourced after
# kernel/lib.sh and scripts/apt.sh. The caller sets $package, $series and $log.

suites="trixie-backports forky sid"

# newest_offer: the highest version of the package, in the suites we take it from.
newest_offer() {
	local best='' version origin
	while IFS='|' read -r _ version origin; do
		version=${version// /}
		case $origin in
		*" experimental/"*) [ "$series" != 7.2 ] || continue ;;
		esac
		if [ -z "$best" ] || dpkg --compare-versions "$version" gt "$best"; then
			best=$version
		fi
	done < <(apt-cache madison "$package" | grep ' Packages$')
	echo "$best"
}

# Sets $version: what Debian offers of $package today. Exits 77 when it offers none.
offer_package() {
	local mirror suite update=0
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die 75 "apt's configuration names no Debian mirror:" \
		"add one to /etc/apt/sources.list, or give a kernel tree with KERNEL_SRC=DIR."
	private_apt source < <(for suite in $suites experimental; do echo "$mirror $suite"; done)
	say "looking for $package on $mirror"
	apt_run "$log" apt-get -q update || update=$?
	if grep -q '^[EW]: Failed to fetch' "$log"; then update=1; fi
	version=$(newest_offer)
	if [ -z "$version" ]; then
		if [ "$update" != 0 ]; then
			die 75 "The package mirror does not answer: $(apt_reason "$log")." \
				"Check the network, or give a kernel tree with KERNEL_SRC=DIR."
		fi
		say "$package is in none of ${suites// /, }$([ "$series" = 7.2 ] || echo , experimental) today: skipped."
		exit 77
	fi
	if [ "$update" != 0 ]; then
		say "some suites cannot be used, there may be something newer: $(apt_reason "$log")"
	fi
}

# get_deb ARCH: sets $deb: the package in the cache, checked against the signed index.
get_deb() {
	local want
	want=$(apt-cache show "$package=$version" | sed -n 's/^SHA256: //p' | head -n 1)
	deb=$cache/deb/${package}_${version}_$1.deb
	if [ "$(sha256sum "$deb" 2>/dev/null | cut -d' ' -f1)" != "$want" ]; then
		need_space "$cache" 1 "Downloading $package"
		say "downloading $package $version"
		rm -f "$cache/deb/$package"_*.deb
		(cd "$cache/deb" && apt_run "$log" apt-get -q download "$package=$version") ||
			die 75 "$package $version cannot be downloaded: $(apt_reason "$log")." \
				"Check the network, then try again."
		# apt writes the version of an epoch or a tilde as it likes in file names.
		[ -f "$deb" ] || mv "$cache/deb/$package"_*.deb "$deb"
		[ "$(sha256sum "$deb" | cut -d' ' -f1)" = "$want" ] ||
			die 75 "$deb is not what the archive's signed index says: remove it, then try again."
	fi
}
