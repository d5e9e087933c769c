#!/bin/sh
# Copies the files of /proc and /sys that the sensors of Firstlight read into a tar.gz, to be sent with a report:
# `firstlight sample --root FILE` reads it like the host. Symbolic links below /sys are kept. Serial numbers, MAC and IP
# addresses, machine-id, UUIDs, SSIDs and host names are replaced, equal ones by equal ones, so that references still
# match. A file that hangs or cannot be read is skipped and reported.
set -eu

# The files to copy, below the root. A test samples every captured host and fails if a sensor reads another file.
paths() {
	cat <<'EOF_PATHS'
etc/machine-id
proc/[0-9]*
proc/device-tree/model
proc/diskstats
proc/loadavg
proc/meminfo
proc/net/dev
proc/net/fib_trie
proc/net/if_inet6
proc/net/ipv6_route
proc/net/route
proc/net/wireless
proc/pressure/*
proc/self/mountinfo
proc/stat
proc/sys/fs/file-nr
proc/sys/kernel/hostname
proc/sys/kernel/osrelease
proc/sys/kernel/panic_on_warn
proc/uptime
proc/version
proc/vmstat
sys/block/*/*
sys/block/*/device/*
sys/block/*/queue/rotational
sys/bus/iio/devices/*
sys/bus/iio/devices/*/*
sys/bus/platform/drivers/raspberrypi-firmware/*
sys/bus/platform/drivers/raspberrypi-firmware/*/get_throttled
sys/bus/w1/devices/*
sys/bus/w1/devices/*/*
sys/class/hwmon/*
sys/class/hwmon/*/*
sys/class/hwmon/*/device/driver
sys/class/hwmon/*/device/name
sys/class/mmc_host/*
sys/class/mmc_host/*/*
sys/class/mmc_host/*/mmc*/*
sys/class/mmc_host/*/mmc*/block/*
sys/class/net/*
sys/class/net/*/*
sys/class/net/*/device/modalias
sys/class/net/*/statistics/*
sys/class/net/*/wireless/*
sys/class/power_supply/*
sys/class/power_supply/*/*
sys/class/rtc/*
sys/class/rtc/*/*
sys/class/thermal/*
sys/class/thermal/*/*
sys/class/watchdog/*
sys/class/watchdog/*/*
sys/devices/system/cpu/*
sys/devices/system/cpu/cpu[0-9]*/cpufreq/*
sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*
sys/devices/system/cpu/cpu[0-9]*/topology/*
sys/devices/system/cpu/cpufreq/*/*
EOF_PATHS
}

FILE_BYTES=65536
FILES_MAX=6000
TOTAL_KIB=16384

seconds=5 root=/ out='' work=''

usage() {
	cat <<'EOF'
Usage: capture-host.sh [--out FILE] [--seconds N] [--root DIR]

Copies what the sensors read of this host into firstlight-capture.tar.gz, with everything replaced
that names this host or its network. Look at the list it prints before you send it.

  --out FILE   where to write it
  --seconds N  how long one file may take (5)
  --root DIR   capture the host whose /proc and /sys are below DIR (for tests)
EOF
}

main() {
	arguments "$@"
	LC_ALL=C
	export LC_ALL
	umask 077
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	mkdir "$work/blobs" "$work/tree"
	for list in files links dirs missed; do : >"$work/$list"; done
	root=$(cd "$root" && pwd -P)
	find_files
	read_files
	gather_names
	replace_names
	build_tree
	tar -C "$work/tree" -czf "$out" .
	give_to_caller
	report
}

arguments() {
	while [ $# -gt 0 ]; do
		case "$1" in
		--help | -h) usage && exit 0 ;;
		--out | --root | --seconds)
			[ $# -ge 2 ] || wrong "$1 needs a value"
			case "$1" in --out) out=$2 ;; --root) root=$2 ;; *) seconds=$2 ;; esac
			shift
			;;
		*) wrong "unknown: $1" ;;
		esac
		shift
	done
	case "$seconds" in '' | *[!0-9]* | 0*) wrong "--seconds is a whole number above 0" ;; esac
	[ -d "$root" ] || wrong "$root is no directory"
	out=${out:-firstlight-capture.tar.gz}
	case "$out" in /*) ;; *) out=$(pwd)/$out ;; esac
}

wrong() {
	echo "capture-host.sh: $1" >&2
	usage >&2
	exit 64
}

# Fills todo ("number path", each real file once), links ("path<TAB>target") and dirs.
find_files() {
	cd "$root"
	paths | while read -r pattern; do
		# The pattern must be expanded; IFS keeps names with spaces whole.
		IFS='
'
		# shellcheck disable=SC2086
		for path in $pattern; do
			if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
		done
	done | sort -u >"$work/matched"
	sed 's|/[^/]*$||' "$work/matched" | parents | sort -u >"$work/folders"
	while read -r folder; do
		note_link "$folder"
		[ ! -d "$folder" ] || real_folder "$folder" >>"$work/dirs"
	done <"$work/folders"
	while read -r path; do
		note_link "$path"
		if [ -f "$path" ] || [ -p "$path" ]; then
			echo "$(real_folder "${path%/*}")/${path##*/}"
		elif [ -d "$path" ]; then
			real_folder "$path" >>"$work/dirs"
		fi
	done <"$work/matched" | awk -v most="$FILES_MAX" '!seen[$0]++ && ++n <= most { print n " " $0 }' >"$work/todo"
}

# Each path and all its parents.
parents() {
	awk -F/ '{ path = ""; for (i = 1; i <= NF; i++) { path = path (i > 1 ? "/" : "") $i; print path } }'
}

# The real path of a directory. Links are kept below /sys only; elsewhere (/proc/self, /proc/net) they are followed.
real_folder() {
	case "$1" in
	sys | sys/*)
		real=$(cd -P "$1" 2>/dev/null && pwd -P) || return 0
		echo "${real#"${root%/}"/}"
		;;
	*) echo "$1" ;;
	esac
}

note_link() {
	case "$1" in sys/*) ;; *) return 0 ;; esac
	[ -L "$1" ] || return 0
	printf '%s/%s\t%s\n' "$(real_folder "${1%/*}")" "${1##*/}" "$(readlink "$1")" >>"$work/links"
}

# A reader works through the list. If it makes no progress, a file hangs: the next reader continues after that file.
read_files() {
	next=1
	total=$(wc -l <"$work/todo")
	while [ "$next" -le "$total" ]; do
		echo "$next" >"$work/at"
		reader "$next" &
		pid=$!
		still=0 now=$next
		while kill -0 "$pid" 2>/dev/null && [ "$still" -le $((seconds + 2)) ]; do
			before=$now
			sleep 1
			now=$(cat "$work/at")
			if [ "$now" = "$before" ]; then still=$((still + 1)); else still=0; fi
		done
		now=$(cat "$work/at")
		[ "$now" != end ] || break
		kill -9 "$pid" 2>/dev/null || :
		sed -n "s|^$now \\(.*\\)|\\1: hangs|p" "$work/todo" >>"$work/missed"
		next=$((now + 1))
	done
}

# Writes blobs, and into files "number path" of each.
reader() {
	spent=0
	tail -n "+$1" "$work/todo" | {
		while read -r number path; do
			echo "$number" >"$work/at"
			blob=$work/blobs/$number
			if [ "$spent" -gt $((TOTAL_KIB * 1024)) ]; then
				echo "$path: beyond $TOTAL_KIB KiB in all" >>"$work/missed"
			elif limited head -c "$FILE_BYTES" "${root%/}/$path" >"$blob" 2>/dev/null; then
				echo "$number $path" >>"$work/files"
				spent=$((spent + $(wc -c <"$blob")))
			else
				rm -f "$blob"
				echo "$path: cannot be read" >>"$work/missed"
			fi
		done
		echo end >"$work/at"
	}
}

limited() {
	if command -v timeout >/dev/null; then timeout -s KILL "$seconds" "$@"; else "$@"; fi
}

# Writes names ("kind name", one per line) that identify this host, the longest first, so that none is cut by a shorter one.
gather_names() {
	{
		serials='(serial|serial_number|serial-number|cid|unique_id|wwid|nguid|eui|product_serial|board_serial)$'
		grep -E "/$serials" "$work/files" | while read -r number _; do
			tr -d '\000' <"$work/blobs/$number" | sed 's/[[:space:]]*$//; s/^[[:space:]]*//; s/^/serial /' | head -n 1
		done
		# The names of 1-Wire devices are their serial numbers.
		sed -n 's|.*/[0-9a-f][0-9a-f]-\([0-9a-f]\{12\}\)\(/.*\)*$|serial \1|p' "$work/files" "$work/dirs"
		host_names | awk 'NF { print "host " $1 }'
		cat "$work"/blobs/* "$work/files" "$work/links" 2>/dev/null | tr '\000' '\n' | patterns
	} | awk 'length($2) >= 2 && !seen[$0]++ { print length($2) " " $0 }' | sort -rn | cut -d' ' -f2- >"$work/names"
}

host_names() {
	cat "${root%/}/proc/sys/kernel/hostname" "${root%/}/etc/hostname" 2>/dev/null || :
	[ "$root" = / ] || return 0
	uname -n
	# No known file of these contains the name of a network; a driver may.
	if command -v iw >/dev/null; then iw dev 2>/dev/null | sed -n 's/^[[:space:]]*ssid //p'; fi
	if command -v iwgetid >/dev/null; then iwgetid -r 2>/dev/null || :; fi
}

# Everything that looks like an address.
patterns() {
	awk '
	function each(kind, pattern,    rest, found) {
		rest = $0
		while (match(rest, pattern)) {
			found = substr(rest, RSTART, RLENGTH)
			if (kind != "whole") print kind " " found
			else { print "half " substr(found, 1, 16); print "half " substr(found, 17) }
			rest = substr(rest, RSTART + RLENGTH)
		}
	}
	BEGIN {
		x = "[0-9a-fA-F]"; xx = x x; x4 = xx xx; x8 = x4 x4
		d = "[0-9]"; byte = d d "?" d "?"
		mac = xx "[:-]" xx "[:-]" xx "[:-]" xx "[:-]" xx "[:-]" xx
		ip = byte "\\." byte "\\." byte "\\." byte
		uuid = x8 "-" x4 "-" x4 "-" x4 "-" x8 x4
	}
	{
		each("mac", mac); each("ip", ip); each("uuid", uuid); each("whole", x8 x8 x8 x8)
		if (index($0, "::") > 0) each("ip6", x "[0-9a-fA-F:]*::[0-9a-fA-F:]*")
		if (split($0, field, "\t") > 7 && field[2] ~ "^" x8 "$" && field[3] ~ "^" x8 "$") {
			print "word " field[2]
			print "word " field[3]
		}
	}'
}

# Makes a sed script of the names and runs it over contents and, except for host names, over paths and links. Values with
# the same meaning on every host stay: zero, loopback, broadcast, masks, the link-local prefix. The last part of an IPv4
# address stays, so that hosts of one network stay in one.
replace_names() {
	awk '
	function quoted(text) { gsub(/[].[*^$\/\\+?(){}|]/, "\\\\&", text); return text }
	function put(from, to) { print "s/" quoted(from) "/" to "/g" }
	function word(from, to) { print "s/(^|[^A-Za-z0-9])" quoted(from) "([^A-Za-z0-9]|$)/\\1" to "\\2/g" }
	function network(head) { if (!(head in net)) net[head] = "198.18." ++nets; return net[head] }
	function special(ip) { return ip ~ /^(127|0|255)\./ || ip ~ /^22[4-9]\./ }
	function byte(text) { return 16 * digit(substr(text, 1, 1)) + digit(substr(text, 2, 1)) }
	function digit(text) { return index("0123456789abcdef", tolower(text)) - 1 }
	{ kind = $1; name = $0; sub(/^[a-z0-9]+ /, "", name); low = tolower(name) }
	kind == "serial" && length(name) >= 4 && name ~ /[0-9]/ && name !~ /^0+$/ {
		word(name, sprintf("%0" length(name) "d", ++serials))
	}
	kind == "uuid" { put(name, sprintf("00000000-0000-4000-8000-%012d", ++uuids)) }
	kind == "mac" {
		gsub(/-/, ":", low)
		if (low == "00:00:00:00:00:00" || low == "ff:ff:ff:ff:ff:ff") next
		# A locally administered address (bit 0x02 of the first byte) stays one: it identifies no board.
		if (!(low in mac)) {
			macs++
			local = int(byte(low) / 2) % 2
			mac[low] = sprintf(local ? "02:00:00:00:%02x:%02x" : "00:00:5e:00:%02x:%02x", 83 * !local + int(macs / 256), macs % 256)
		}
		to = mac[low]
		if (name ~ /-/) gsub(/:/, "-", to)
		put(name, to)
		gsub(/[:-]/, "", to)
		gsub(/:/, "", low)
		put(low, to)
		put(toupper(low), to)
	}
	kind == "ip" && !special(name) {
		split(name, part, ".")
		put(name, network(part[1] "." part[2] "." part[3]) "." part[4])
	}
	kind == "ip6" && length(name) > 3 { put(name, (low ~ /^fe80/ ? "fe80::" : "2001:db8::") sprintf("%x", ++sixes)) }
	# Half an IPv6 address as /proc has them, or half of a machine-id.
	kind == "half" && low !~ /^0+1?$/ && low != "fe80000000000000" && low !~ /^ff[0-9a-f][0-9a-f]0+$/ {
		if (!(low in half)) half[low] = sprintf("20010db8%08x", ++halves)
		put(name, half[low])
	}
	# An IPv4 address as /proc/net/route has it, its bytes in reverse.
	kind == "word" {
		ip = byte(substr(name, 7)) "." byte(substr(name, 5)) "." byte(substr(name, 3)) "." byte(name)
		if (special(ip)) next
		split(ip, part, ".")
		split(network(part[1] "." part[2] "." part[3]), now, ".")
		put("\t" name "\t", sprintf("\t%02X%02X%02X%02X\t", part[4], now[3], now[2], now[1]))
	}
	kind == "host" { word(name, "gateway") }' "$work/names" >"$work/all.sed"
	grep -v '/\\1gateway\\2/' "$work/all.sed" >"$work/paths.sed" || :
	find "$work/blobs" -type f -exec sed -E -i -f "$work/all.sed" {} +
	sed -E -i -f "$work/paths.sed" "$work/files" "$work/links" "$work/dirs" "$work/missed"
}

build_tree() {
	cd "$work/tree"
	sort -u "$work/dirs" | while read -r folder; do [ -z "$folder" ] || mkdir -p "./$folder"; done
	while read -r number path; do
		mkdir -p "./${path%/*}"
		cp "$work/blobs/$number" "./$path"
	done <"$work/files"
	while IFS='	' read -r path target; do
		mkdir -p "./${path%/*}"
		[ -e "./$path" ] || [ -L "./$path" ] || ln -s "$target" "./$path"
	done <"$work/links"
	cut -d' ' -f2- "$work/files" | sort >FILES
	sort -u "$work/missed" >MISSED
	# Unpacked by root, it can be read by everybody who may enter the directory. The archive itself stays private.
	chmod -R u+rwX,go+rX .
}

# The user who called sudo is the one who sends it.
give_to_caller() {
	[ "$(id -u)" -eq 0 ] && [ -n "${SUDO_UID:-}" ] && [ -n "${SUDO_GID:-}" ] || return 0
	chown -h "$SUDO_UID:$SUDO_GID" "$out"
}

report() {
	cat FILES
	sed 's/^/left out: /' MISSED
	echo
	echo "$(wc -l <FILES) files, $(wc -l <MISSED) left out; $(wc -l <"$work/names") names of this host and its network replaced."
	[ "$(id -u)" -eq 0 ] || echo "Run it as root to include the files that only root can read."
	echo "Written to $out: check its contents before you send it."
	echo "firstlight sample --root $out shows its readings."
}

main "$@"
