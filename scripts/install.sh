#!/bin/sh
# Installs Firstlight without apt: the same files at the same places as the package, from its tarball or, after
# "npm run package", from a clone. Run again it upgrades, keeps the state and whatever was edited in
# /etc/firstlight, and changes nothing where nothing has changed. All problems are told before anything is done.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root='' dry='' start=yes node=''
config=etc/firstlight/firstlight.toml
manifest=usr/lib/firstlight/installed

usage() {
	cat <<'EOF'
Usage: install.sh [--dry-run] [--root DIR] [--node FILE] [--no-start]

Installs Firstlight as a systemd service of this host, or upgrades it.

  --dry-run    say what would be done, and do nothing
  --root DIR   install into the system below DIR, an image for instance, and start nothing
  --node FILE  the Node to run it with (20.19 or later); otherwise the first in PATH
  --no-start   enable the service, but leave it as it is until the next boot
EOF
}

main() {
	arguments "$@"
	find_tree
	check
	note_old
	put_files
	put_config
	write_manifest
	drop_obsolete
	services
}

arguments() {
	while [ $# -gt 0 ]; do
		case "$1" in
		--help | -h) usage && exit 0 ;;
		--dry-run) dry=yes ;;
		--no-start) start='' ;;
		--root | --node)
			[ $# -ge 2 ] || wrong "$1 needs a value"
			case "$1" in --root) root=${2%/} start='' ;; *) node=$2 ;; esac
			shift
			;;
		*) wrong "unknown: $1" ;;
		esac
		shift
	done
}

wrong() {
	echo "install.sh: $1" >&2
	usage >&2
	exit 64
}

find_tree() {
	for tree in "$here/root" "$here/../dist/package/root"; do
		[ -f "$tree/usr/lib/firstlight/firstlight.mjs" ] && return
	done
	echo "install.sh: there is nothing to install beside this script; in a clone, run \"npm run package\" first" >&2
	exit 1
}

problems=0
problem() {
	echo "install.sh: $1" >&2
	problems=$((problems + 1))
}

check() {
	if [ -n "$root" ]; then
		[ -d "$root" ] || problem "--root $root is no directory"
	else
		[ -n "$dry" ] || [ "$(id -u)" = 0 ] || problem "only root can install a service: try again with sudo"
		[ -d /run/systemd/system ] ||
			problem "this host does not run systemd; without it, start \"firstlight run\" in your own way, or use --root DIR for an image"
	fi
	if [ -e "$root/var/lib/dpkg/info/firstlight.prerm" ]; then
		problem "Firstlight is installed as a package: upgrade it with apt, or remove it first (apt remove firstlight keeps the state)"
	fi
	check_node
	[ "$problems" = 0 ] || exit 1
}

# The Node of another root file system cannot be asked; there it is at Debian's place unless told otherwise.
check_node() {
	if [ -n "$root" ]; then
		node=${node:-/usr/bin/node}
		[ -x "$root$node" ] || echo "install.sh: note: $root$node is not there yet; the service needs it" >&2
		return
	fi
	node=${node:-$(command -v node || true)}
	if [ -z "$node" ]; then
		problem "Node is missing: install Node 20.19 or later (Debian 13: apt install nodejs), or name it with --node"
		return
	fi
	version=$("$node" --version 2>/dev/null) || version=''
	if ! new_enough "$version"; then
		problem "$node is ${version:-no Node that runs}, Firstlight needs v20.19 or later"
	fi
	case "$node" in
	/home/* | /root/* | /run/user/* | /tmp/* | /var/tmp/*)
		problem "$node lies where the service, in its sandbox, cannot read it: install Node for the whole system"
		;;
	/*[!A-Za-z0-9/._+-]*) problem "$node: a path with such characters in it cannot stand in a unit" ;;
	/*) ;;
	*) problem "--node $node is not an absolute path" ;;
	esac
}

new_enough() {
	numbers=${1#v}
	major=${numbers%%.*}
	minor=${numbers#*.}
	minor=${minor%%.*}
	case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
	[ "$major" -gt 20 ] || { [ "$major" = 20 ] && [ "$minor" -ge 19 ]; }
}

# Says what is done, or would be; does it unless it would.
act() {
	say=$1
	shift
	if [ -n "$dry" ]; then
		echo "would $say"
	else
		echo "$say"
		"$@"
	fi
}

changed=''
note_old() {
	old_list='' old_sum='' is_new=yes
	[ -f "$root/$manifest" ] || return 0
	is_new=''
	old_list=$(sed -n 's/^file //p' "$root/$manifest")
	old_sum=$(sed -n 's/^config //p' "$root/$manifest")
}

put_files() {
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
	list=$(cd "$tree" && find . -type f ! -path "./$config" | sed 's|^\./||' | LC_ALL=C sort)
	for file in $list; do
		mode=644
		[ ! -x "$tree/$file" ] || mode=755
		source=$tree/$file
		case "$file" in
		*.service | usr/bin/firstlight)
			# Both name Debian's Node.
			source=$scratch/rendered
			sed "s|/usr/bin/node |$node |" "$tree/$file" >"$source"
			;;
		usr/lib/firstlight/firstlight.mjs)
			# It loads the files of code/, which are on the disk before it asks for them there.
			[ -n "$dry" ] || cmp -s "$tree/$file" "$root/$file" || sync
			;;
		esac
		put "$source" "$file" "$mode"
	done
	# So that it can be removed when the tarball is gone.
	put "$here/uninstall.sh" usr/lib/firstlight/uninstall.sh 755
	[ -d "$root/etc/firstlight/conf.d" ] || act "make /etc/firstlight/conf.d" mkdir -p "$root/etc/firstlight/conf.d"
}

put() {
	cmp -s "$1" "$root/$2" && return 0
	changed=yes
	act "install /$2" replace "$1" "$root/$2" "$3"
}

# The new file under another name first: a power cut leaves the old one or the new one.
replace() {
	mkdir -p "$(dirname "$2")"
	cp "$1" "$2.firstlight-new"
	chmod "$3" "$2.firstlight-new"
	mv -f "$2.firstlight-new" "$2"
}

sum_of() {
	sha256sum "$1" | cut -d ' ' -f 1
}

# The configuration is the operator's: replaced only as long as it is what an earlier install.sh put there.
put_config() {
	new_sum=$(sum_of "$tree/$config")
	if [ ! -e "$root/$config" ]; then
		# Deleted on purpose, if it has been here before.
		[ -n "$is_new" ] || return 0
		act "install /$config" replace "$tree/$config" "$root/$config" 644
		return
	fi
	sum=$(sum_of "$root/$config")
	[ "$sum" != "$new_sum" ] || return 0
	if [ "$sum" = "$old_sum" ]; then
		act "install /$config" replace_contents "$tree/$config" "$root/$config"
	elif [ "$new_sum" != "$old_sum" ]; then
		act "keep your /$config; the new example is /$config.new" replace "$tree/$config" "$root/$config.new" 644
	fi
}

# Keeps who may read it.
replace_contents() {
	cp -p "$2" "$2.firstlight-new"
	cat "$1" >"$2.firstlight-new"
	mv -f "$2.firstlight-new" "$2"
}

write_manifest() {
	[ -z "$dry" ] || return 0
	{
		echo "# Written by install.sh, read by uninstall.sh."
		for file in $list usr/lib/firstlight/uninstall.sh; do echo "file $file"; done
		echo "config $new_sum"
	} >"$scratch/installed"
	cmp -s "$scratch/installed" "$root/$manifest" || replace "$scratch/installed" "$root/$manifest" 644
}

# What a run that was cut short has put into code/ is on no list.
drop_obsolete() {
	parts=$(cd "$root/" && find usr/lib/firstlight/code -type f 2>/dev/null) || parts=''
	for file in $(echo "$old_list" "$parts" | tr ' ' '\n' | sort -u); do
		case " $(echo "$list" usr/lib/firstlight/uninstall.sh | tr '\n' ' ') " in
		*" $file "*) ;;
		*) act "remove /$file" rm -f "$root/$file" ;;
		esac
	done
}

# An administrator's "systemctl disable" outlives upgrades.
services() {
	[ -n "$dry" ] || sync
	# Without it the service makes a user of its own whenever it runs.
	if [ -z "$root" ] && command -v systemd-sysusers >/dev/null; then
		act "make the user firstlight" systemd-sysusers firstlight.conf || true
	fi
	enabled=$(cd "$tree/usr/lib/systemd/system" && grep -l '^\[Install\]' -- *.*)
	if ! command -v systemctl >/dev/null; then
		echo "install.sh: note: without systemctl nothing can be enabled here: do it in the image" >&2
		return
	fi
	if [ -n "$is_new" ]; then
		for unit in $enabled; do act "enable $unit" systemctl ${root:+--root="$root"} --quiet enable "$unit"; done
	fi
	[ -z "$root" ] || return 0
	[ -z "$changed" ] || act "reload systemd" systemctl daemon-reload
	[ -n "$start" ] || return 0
	if [ -n "$is_new" ]; then
		for unit in $enabled; do act "start $unit" begin "$unit" start; done
	elif [ -n "$changed" ] && systemctl --quiet is-enabled firstlight.service; then
		act "restart firstlight.service" begin firstlight.service restart
	fi
}

# A gateway that has no configuration yet is installed all the same.
begin() {
	systemctl "$2" "$1" 2>/dev/null && return
	echo "$1 does not run: journalctl -u $1 says why"
	[ "$1" != firstlight.service ] ||
		echo "Most likely server.url is not set in /$config; then: systemctl restart firstlight"
}

main "$@"
