#!/bin/sh
# Installs Firstlight without apt: the files of the package, from its tarball or, after "npm run package", from a
# clone. Run again it upgrades and keeps the state and an edited configuration. It reports all problems before it
# changes anything.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root='' dry='' start=yes node=''
config=etc/firstlight/firstlight.toml
manifest=usr/lib/firstlight/installed

usage() {
	cat <<'EOF'
Usage: install.sh [--dry-run] [--root DIR] [--node FILE] [--no-start]

Installs Firstlight as a systemd service of this host, or upgrades it.

  --dry-run    print the actions, but change nothing
  --root DIR   install into the system below DIR, such as an image, and start nothing
  --node FILE  the Node to use (20.19 or later); default: the first in PATH
  --no-start   enable the service, but do not start or restart it
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
		*) wrong "unknown option: $1" ;;
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
	echo "install.sh: no files to install beside this script; in a clone, run \"npm run package\" first" >&2
	exit 1
}

problems=0
problem() {
	echo "install.sh: $1" >&2
	problems=$((problems + 1))
}

check() {
	if [ -n "$root" ]; then
		[ -d "$root" ] || problem "--root $root is not a directory"
	else
		[ -n "$dry" ] || [ "$(id -u)" = 0 ] || problem "only root can install a service: run it with sudo"
		[ -d /run/systemd/system ] ||
			problem "this host does not run systemd: start \"firstlight run\" by other means, or use --root DIR for an image"
	fi
	if [ -e "$root/var/lib/dpkg/info/firstlight.prerm" ]; then
		problem "Firstlight is installed as a package: upgrade it with apt, or first run apt remove firstlight, which keeps the state"
	fi
	check_node
	[ "$problems" = 0 ] || exit 1
}

# The Node of another root file system cannot be run; the default is Debian's path.
check_node() {
	if [ -n "$root" ]; then
		node=${node:-/usr/bin/node}
		[ -x "$root$node" ] || echo "install.sh: note: $root$node does not exist yet; the service needs it" >&2
		return
	fi
	node=${node:-$(command -v node || true)}
	if [ -z "$node" ]; then
		problem "Node is missing: install Node 20.19 or later (Debian 13: apt install nodejs), or use --node FILE"
		return
	fi
	version=$("$node" --version 2>/dev/null) || version=''
	if ! new_enough "$version"; then
		problem "$node is ${version:-not a working Node}, Firstlight needs v20.19 or later"
	fi
	case "$node" in
	/home/* | /root/* | /run/user/* | /tmp/* | /var/tmp/*)
		problem "$node is in a directory that the service cannot read: install Node system-wide"
		;;
	/*[!A-Za-z0-9/._+-]*) problem "$node has characters that a unit file does not allow" ;;
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

# Prints an action and runs it, or with --dry-run only prints it.
act() {
	if [ -n "$dry" ]; then
		echo "would $1"
		return
	fi
	echo "$1"
	shift
	"$@"
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
			# Both contain Debian's path of Node.
			source=$scratch/rendered
			sed "s|/usr/bin/node |$node |" "$tree/$file" >"$source"
			;;
		usr/lib/firstlight/firstlight.mjs)
			# It loads the files of code/, which must be on the disk first.
			[ -n "$dry" ] || cmp -s "$tree/$file" "$root/$file" || sync
			;;
		esac
		put "$source" "$file" "$mode"
	done
	# For a removal without the tarball.
	put "$here/uninstall.sh" usr/lib/firstlight/uninstall.sh 755
	[ -d "$root/etc/firstlight/conf.d" ] || act "create /etc/firstlight/conf.d" mkdir -p "$root/etc/firstlight/conf.d"
}

put() {
	cmp -s "$1" "$root/$2" && return 0
	changed=yes
	act "install /$2" replace "$1" "$root/$2" "$3"
}

# Writes a new file and renames it: a power cut leaves the old or the new one.
replace() {
	mkdir -p "$(dirname "$2")"
	cp "$1" "$2.firstlight-new"
	chmod "$3" "$2.firstlight-new"
	mv -f "$2.firstlight-new" "$2"
}

sum_of() {
	sha256sum "$1" | cut -d ' ' -f 1
}

# Replaces the configuration only if it is unchanged since an earlier install.sh.
put_config() {
	new_sum=$(sum_of "$tree/$config")
	if [ ! -e "$root/$config" ]; then
		# An administrator deleted it.
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

# Keeps owner and mode.
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

# An interrupted run leaves files in code/ that are on no list.
drop_obsolete() {
	parts=$(cd "$root/" && find usr/lib/firstlight/code -type f 2>/dev/null) || parts=''
	for file in $(echo "$old_list" "$parts" | tr ' ' '\n' | sort -u); do
		case " $(echo "$list" usr/lib/firstlight/uninstall.sh | tr '\n' ' ') " in
		*" $file "*) ;;
		*) act "remove /$file" rm -f "$root/$file" ;;
		esac
	done
}

# Keeps an administrator's "systemctl disable" on upgrades.
services() {
	[ -n "$dry" ] || sync
	# Without systemd-sysusers, systemd creates a dynamic user for the service.
	if [ -z "$root" ] && command -v systemd-sysusers >/dev/null; then
		act "create the user firstlight" systemd-sysusers firstlight.conf || true
	fi
	enabled=$(cd "$tree/usr/lib/systemd/system" && grep -l '^\[Install\]' -- *.*)
	if ! command -v systemctl >/dev/null; then
		echo "install.sh: note: systemctl is missing, so the service is not enabled: enable it in the image" >&2
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

# A failed start, for example without a configuration, does not fail the installation.
begin() {
	systemctl "$2" "$1" 2>/dev/null && return
	echo "$1 is not running: see journalctl -u $1"
	[ "$1" != firstlight.service ] ||
		echo "If server.url is not set yet, set it in /$config and run: systemctl restart firstlight"
}

main "$@"
