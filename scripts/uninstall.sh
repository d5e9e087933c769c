#!/bin/sh
# Removes what install.sh installed. Configuration and state stay, because without its credentials the gateway would
# register as a new device; --purge deletes them too.
set -eu

root='' dry='' purge=''
manifest=usr/lib/firstlight/installed

usage() {
	cat <<'EOF'
Usage: uninstall.sh [--purge] [--dry-run] [--root DIR]

Removes Firstlight from this host, if install.sh installed it.

  --purge      also delete the configuration (/etc/firstlight), the credentials and the queued readings
  --dry-run    print the actions, but change nothing
  --root DIR   remove it from the system below DIR
EOF
}

main() {
	arguments "$@"
	check
	units=$(sed -n 's|^file usr/lib/systemd/system/||p' "$root/$manifest" 2>/dev/null || true)
	stop_services
	remove_files
	[ -z "$purge" ] || { remove_state && remove_user; }
	forget_services
	[ -n "$dry" ] || [ -n "$purge" ] || [ ! -e "$root/etc/firstlight" ] ||
		echo "kept: /etc/firstlight and /var/lib/firstlight (--purge removes them)"
}

arguments() {
	while [ $# -gt 0 ]; do
		case "$1" in
		--help | -h) usage && exit 0 ;;
		--dry-run) dry=yes ;;
		--purge) purge=yes ;;
		--root)
			[ $# -ge 2 ] || wrong "$1 needs a value"
			root=${2%/}
			shift
			;;
		*) wrong "unknown option: $1" ;;
		esac
		shift
	done
}

wrong() {
	echo "uninstall.sh: $1" >&2
	usage >&2
	exit 64
}

check() {
	if [ -n "$root" ] && [ ! -d "$root" ]; then
		echo "uninstall.sh: --root $root is not a directory" >&2
		exit 1
	fi
	if [ -z "$root" ] && [ -z "$dry" ] && [ "$(id -u)" != 0 ]; then
		echo "uninstall.sh: only root can remove a service: run it with sudo" >&2
		exit 1
	fi
	if [ -e "$root/var/lib/dpkg/info/firstlight.prerm" ]; then
		echo "uninstall.sh: Firstlight is installed as a package: use apt remove firstlight or apt purge firstlight" >&2
		exit 1
	fi
	[ -f "$root/$manifest" ] || echo "nothing to remove: install.sh installed nothing here"
}

act() {
	if [ -n "$dry" ]; then
		echo "would $1"
		return
	fi
	echo "$1"
	shift
	"$@"
}

stop_services() {
	command -v systemctl >/dev/null || return 0
	for unit in $units; do
		[ -n "$root" ] || [ ! -d /run/systemd/system ] || act "stop $unit" systemctl --quiet stop "$unit"
		act "disable $unit" systemctl ${root:+--root="$root"} --quiet disable "$unit"
	done
}

remove_files() {
	[ -f "$root/$manifest" ] || return 0
	while read -r kind file; do
		# Only below /usr, whatever the list contains.
		case "$kind $file" in
		*..*) ;;
		"file usr/"*) act "remove /$file" rm -f "$root/$file" ;;
		esac
	done <"$root/$manifest"
	# An interrupted upgrade leaves files that are on no list.
	for part in "$root"/usr/lib/firstlight/code/*; do
		[ ! -e "$part" ] || [ -n "$dry" ] || act "remove ${part#"$root"}" rm -f "$part"
	done
	act "remove /$manifest" rm -f "$root/$manifest"
	[ -n "$dry" ] || rmdir "$root/usr/lib/firstlight/code" "$root/usr/lib/firstlight" "$root/usr/share/doc/firstlight" 2>/dev/null || true
}

# The state of a dynamic user is in private/, with a link beside it.
remove_state() {
	for place in etc/firstlight etc/credstore/firstlight.secret etc/credstore/firstlight.token \
		etc/credstore/firstlight.key \
		var/lib/firstlight var/lib/private/firstlight var/cache/firstlight var/cache/private/firstlight \
		var/log/firstlight var/log/private/firstlight run/firstlight run/private/firstlight; do
		if [ -e "$root/$place" ] || [ -L "$root/$place" ]; then
			act "remove /$place" rm -rf "$root/$place"
		fi
	done
}

remove_user() {
	[ -z "$root" ] && getent passwd firstlight >/dev/null || return 0
	act "remove the user firstlight" userdel firstlight || true
}

forget_services() {
	[ -z "$root" ] && [ -n "$units" ] && [ -d /run/systemd/system ] || return 0
	act "reload systemd" systemctl daemon-reload
	# A failed unit would stay listed.
	for unit in $units; do [ -n "$dry" ] || systemctl --quiet reset-failed "$unit" 2>/dev/null || true; done
}

main "$@"
