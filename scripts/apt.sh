# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Packages from the Debian mirror this machine is configured for, through a
# private list of sources, so that the system's own stay as they are.
# Sourced after common.sh.

# shellcheck source=/dev/null
codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}") || codename=

# The Debian archives the system's apt knows, one "URI SUITE" each, whatever
# the format of its lists. Third-party archives are not for us.
debian_archives() {
	{
		# shellcheck disable=SC2016  # $(…) is apt's own format
		apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
			'Created-By: Packages'
		# shellcheck disable=SC2016
		apt-get indextargets --no-release-info \
			--format '$(REPO_URI) $(RELEASE) $(COMPONENT) -' 'Created-By: Packages'
	} 2>/dev/null | awk '
		$3 != "main" || $1 ~ /^cdrom:/	{ next }
		$4 == "Debian" || $1 ~ /\/debian(-security)?(\.list)?\/?$/ {
			if ($1 ~ /\.list\/$/)
				sub(/\/$/, "", $1)
			if (!seen[$1, $2]++)
				print $1, $2
		}'
}

# The one that carries every suite: neither security nor third-party.
debian_mirror() {
	debian_archives | awk -v codename="$codename" '
		$1 ~ /security/ || $2 ~ /security/	{ next }
		$2 == codename				{ print $1; found = 1; exit }
		!other					{ other = $1 }
		END { if (!found && other) print other }'
}

debian_keyring() {
	local f
	for f in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		if [ -r "$f" ]; then
			echo "$f"
			return
		fi
	done
	die 75 "The Debian archive keyring is missing: install debian-archive-keyring."
}

# private_apt NAME: reads lines "URI SUITE", and makes apt see these and
# nothing else. Everything it fetches lies in the cache.
private_apt() {
	local dir=$cache/apt/$1 keyring uri suite
	keyring=$(debian_keyring)
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$cache/deb" 2>/dev/null ||
		die 75 "Cannot write to $cache: set HOLDFAST_CACHE to a directory that can be written."
	while read -r uri suite; do
		printf 'deb [target=Packages signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
	done >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-EOF
		Dir::State::lists "$dir/lists";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "-";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::PDiffs "false";
		Acquire::Retries "3";
	EOF
	export APT_CONFIG=$dir/apt.conf
}

# apt_run LOG ARGS…: quiet; what apt says is for the error message.
apt_run() {
	local log=$1
	shift
	"$@" </dev/null >"$log" 2>&1
}

# The first thing apt complained about.
apt_reason() {
	{ grep -m1 '^E: ' "$1" || grep -m1 '^W: ' "$1" || tail -n 1 "$1"; } | sed 's/^[EW]: //'
}
