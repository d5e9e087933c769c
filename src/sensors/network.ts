/**
 * Network: bytes per second in and out of each physical interface, between one sample and the next.
 *
 * Physical is what has a device behind it in /sys; bridges, VLANs, tunnels and containers' ends have none, and would count the
 * same bytes twice. Where no interface is physical (inside a container) those count that are up and are neither loopback nor
 * a container engine's own. An interface in its first sample, or whose counters went back, has no rate in that round.
 */

import { type CatalogueEntry, type Collector, type MonotonicClock, NonsenseError } from './collector.ts';
import { natural, wholeLines } from './parse.ts';
import type { Tree } from './tree.ts';

/** 100 Gbit/s and some; a counter that jumps further is broken. */
const BYTES_PER_S_MAX = 50_000_000_000;

export const network: Collector = {
  name: 'network',
  catalogue: [
    entry('net*RxBytesPerS', 'received by the interface, since the last sample'),
    entry('net*TxBytesPerS', 'sent by the interface, since the last sample'),
  ],
  open(tree, clock) {
    const choose = openChoice(tree);
    let before: Round = { atMs: 0, counters: new Map() };
    return () => {
      const now = readRound(tree, clock);
      const measured = rates(before, now, choose([...now.counters.keys()]));
      before = now;
      return measured;
    };
  },
};

/** Keys cost the server a dictionary entry each, for ever; a gateway has two or three interfaces. */
const INTERFACES_MAX = 16;
const UP_FLAG = 0x1;
const LOOPBACK_FLAG = 0x8;
const ENGINES_OWN = /^(veth|docker|br-|virbr|cni|flannel|cali|lxcbr|lxdbr|podman)/;

interface Counters {
  readonly rxBytes: number;
  readonly txBytes: number;
}

interface Round {
  readonly atMs: number;
  readonly counters: ReadonlyMap<string, Counters>;
}

function entry(key: string, meaning: string): CatalogueEntry {
  const source = 'proc_pid_net(5), /proc/net/dev; Documentation/ABI/testing/sysfs-class-net';
  return {
    key,
    type: 'number',
    profile: 'default',
    unit: 'B/s',
    min: 0,
    max: BYTES_PER_S_MAX,
    decimals: 0,
    meaning,
    source,
  };
}

function readRound(tree: Tree, clock: MonotonicClock): Round {
  const text = tree.read('proc/net/dev');
  const atMs = clock.monotonicMs();
  const [first, second, ...lines] = wholeLines(text, 'proc/net/dev');
  if (!first?.startsWith('Inter-') || !second?.includes('bytes')) {
    throw new NonsenseError('/proc/net/dev has no heading');
  }
  const counters = new Map<string, Counters>();
  for (const line of lines) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) throw new NonsenseError('a line of /proc/net/dev names no interface');
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/);
    counters.set(line.slice(0, colon).trim(), {
      rxBytes: natural(fields[0], 'a received count in /proc/net/dev'),
      txBytes: natural(fields[8], 'a sent count in /proc/net/dev'),
    });
  }
  return { atMs, counters };
}

/** Which interfaces to report. Asked of /sys again only when the set of names has changed, or in the fallback. */
function openChoice(tree: Tree): (names: readonly string[]) => readonly string[] {
  let seen = '';
  let physical: readonly string[] = [];
  return (names) => {
    const all = names.join(' ');
    if (all !== seen) {
      physical = bounded(names.filter((name) => tree.has(`sys/class/net/${name}/device`)));
      seen = all;
    }
    return physical.length > 0 ? physical : bounded(names.filter((name) => isUpAndOurs(tree, name)));
  };
}

function bounded(names: readonly string[]): readonly string[] {
  return names.toSorted().slice(0, INTERFACES_MAX);
}

function isUpAndOurs(tree: Tree, name: string): boolean {
  if (name === 'lo' || ENGINES_OWN.test(name) || !tree.has(`sys/class/net/${name}/flags`)) return false;
  const text = tree.read(`sys/class/net/${name}/flags`).trim();
  if (!/^0x[0-9a-f]{1,8}$/.test(text))
    throw new NonsenseError(`the flags of interface ${name} are no number`);
  const flags = Number.parseInt(text, 16);
  return (flags & UP_FLAG) !== 0 && (flags & LOOPBACK_FLAG) === 0;
}

function rates(before: Round, now: Round, names: readonly string[]): Record<string, number> {
  const seconds = (now.atMs - before.atMs) / 1000;
  const measured: Record<string, number> = {};
  if (seconds <= 0) return measured;
  for (const name of names) {
    const was = before.counters.get(name);
    const is = now.counters.get(name);
    if (was === undefined || is === undefined) continue;
    // Both start again when the driver is reloaded, so one that went back discredits the other.
    if (is.rxBytes < was.rxBytes || is.txBytes < was.txBytes) continue;
    measured[`net${capitalised(name)}RxBytesPerS`] = (is.rxBytes - was.rxBytes) / seconds;
    measured[`net${capitalised(name)}TxBytesPerS`] = (is.txBytes - was.txBytes) / seconds;
  }
  return measured;
}

/** eth0 becomes Eth0, wan-lte.1 becomes WanLte1. */
function capitalised(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
