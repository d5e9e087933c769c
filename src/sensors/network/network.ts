/**
 * Rates, link state and link speed of each physical interface (interfaces.ts). All counters come from one
 * file; the state takes one more read an interface. An interface has no rates in its first sample or after a
 * reset (counter-rates.ts), and none above the speed of its link; an invalid counter costs only its own rate.
 * Signal and technology of a cellular modem are missing: the kernel has no file for them, only the protocol of
 * the modem.
 */

import { CounterRates } from '../devices/counter-rates.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOptional } from '../files/optional-files.ts';
import { InvalidValueError, invalidCounter, parseCounters, splitLines } from '../files/parse.ts';
import type { CatalogueEntry, Collect, Collector, KeyFilter, MonotonicClock } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';
import { InterfaceSelector, type NetworkInterface } from './interfaces.ts';
import { LinkState, readSpeed } from './link-state.ts';

/** Above 100 Gbit/s; a counter that moves faster is broken. */
const BYTES_PER_S_MAX = 50_000_000_000;
const PACKETS_PER_S_MAX = 1_000_000_000;
const SOURCE = 'proc_pid_net(5), /proc/net/dev; Documentation/ABI/testing/sysfs-class-net';

/** Column of each rate in /proc/net/dev. */
const COLUMNS = {
  RxBytesPerS: 0,
  TxBytesPerS: 8,
  RxPacketsPerS: 1,
  TxPacketsPerS: 9,
  RxErrorsPerS: 2,
  TxErrorsPerS: 10,
  RxDropsPerS: 3,
  TxDropsPerS: 11,
} as const;

type Counter = keyof typeof COLUMNS;

export const network: Collector = {
  name: 'network',
  catalogue: [
    bytes('net*RxBytesPerS', 'bytes received per second, since the previous sample'),
    bytes('net*TxBytesPerS', 'bytes sent per second, since the previous sample'),
    {
      key: 'net*Up',
      type: 'flag',
      profile: 'default',
      meaning: 'the interface has a link and can carry traffic',
      source: 'Documentation/ABI/testing/sysfs-class-net, operstate; RFC 2863',
    },
    packets('net*RxPacketsPerS', 'packets received per second'),
    packets('net*TxPacketsPerS', 'packets sent per second'),
    packets('net*RxErrorsPerS', 'damaged packets received per second'),
    packets('net*TxErrorsPerS', 'send errors per second'),
    packets(
      'net*RxDropsPerS',
      'received packets dropped per second, because of a full buffer or an unknown protocol',
    ),
    packets('net*TxDropsPerS', 'outgoing packets dropped per second'),
    {
      key: 'net*SpeedMbitPerS',
      type: 'number',
      profile: 'full',
      unit: 'Mbit/s',
      min: 1,
      max: 1_000_000,
      decimals: 0,
      meaning:
        'speed of the link; absent while the link is down, and for links without a fixed speed, such as Wi-Fi',
      source: 'Documentation/ABI/testing/sysfs-class-net, speed',
    },
    {
      key: 'net*CarrierChanges',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 0,
      max: 2 ** 32,
      decimals: 0,
      meaning:
        'number of times the link went up or down since the interface was created; a loose plug increases it',
      source: 'Documentation/ABI/testing/sysfs-class-net, carrier_changes',
    },
  ],
  notes: [
    'A counter that runs back, returns to where it was, or moves faster than the link can gives no rate.',
    'A link of up to 1 Gbit/s counts as one of 1 Gbit/s, and one whose driver does not report a speed, as of Wi-Fi, as one of 2.5 Gbit/s.',
    'The number of carrier changes is absent for one sample if it is lower than before.',
  ],
  open: openNetwork,
};

/**
 * A step above these rates gives none: those of a link of 1 Gbit/s, or of a faster one. A slower link does not
 * lower them, because some drivers report a speed that is too low.
 */
const BYTES_PER_S_OF_GIGABIT = 125_000_000;
const PACKETS_PER_S_OF_GIGABIT = 1_500_000;
const MBIT_OF_GIGABIT = 1000;
/** Wi-Fi, modems and virtual adapters, of which the driver does not report the speed. */
const UNKNOWN_SPEED_MBIT = 2500;
/** Counters that tell a reset from a wrap; they are read even if their rates are not selected. */
const RESET_DETECTORS: ReadonlySet<Counter> = new Set([
  'RxBytesPerS',
  'TxBytesPerS',
  'RxPacketsPerS',
  'TxPacketsPerS',
]);

/** One interface and its selected counters. */
class InterfaceMeter {
  readonly networkInterface: NetworkInterface;
  readonly #hostFiles: HostFiles;
  readonly #columns: readonly number[];
  /** The key of each column; undefined if it is not selected. */
  readonly #keys: readonly (string | undefined)[];
  readonly #rates: CounterRates;
  readonly #link: LinkState;

  constructor(hostFiles: HostFiles, networkInterface: NetworkInterface, isSelected: KeyFilter) {
    const counters = (Object.keys(COLUMNS) as Counter[])
      .map((counter) => ({ counter, key: `net${networkInterface.part}${counter}` }))
      .filter(({ counter, key }) => RESET_DETECTORS.has(counter) || isSelected(key));
    this.networkInterface = networkInterface;
    this.#hostFiles = hostFiles;
    this.#columns = counters.map(({ counter }) => COLUMNS[counter]);
    this.#keys = counters.map(({ key }) => (isSelected(key) ? key : undefined));
    this.#rates = new CounterRates(
      counters.map(({ counter }) =>
        counter.includes('Bytes') ? BYTES_PER_S_OF_GIGABIT : PACKETS_PER_S_OF_GIGABIT,
      ),
      () => gigabits(hostFiles, networkInterface.name),
    );
    this.#link = new LinkState(hostFiles, networkInterface, isSelected);
  }

  /** `line` follows the name; undefined if the interface has several. */
  readInto(read: PartialRead, line: string | undefined, atMs: number): void {
    const { name } = this.networkInterface;
    read.attempt(name, () => this.#readRates(read, line, atMs));
    this.#link.readInto(read, atMs);
  }

  #readRates(read: PartialRead, line: string | undefined, atMs: number): undefined {
    const { name } = this.networkInterface;
    if (line === undefined) throw new InvalidValueError(`/proc/net/dev has several lines "${name}"`);
    const fields = parseCounters(line);
    const counts = this.#columns.map((column) => fields[column] ?? Number.NaN);
    const identity = readOptional(this.#hostFiles, `sys/class/net/${name}/ifindex`);
    const perS = this.#rates.next(counts, atMs, identity);
    for (let at = 0; at < counts.length; at += 1) {
      const key = this.#keys[at];
      const rate = perS?.[at];
      if (key !== undefined && rate !== undefined) read.values[key] = rate;
      if (Number.isNaN(counts[at]))
        read.fail(
          name,
          invalidCounter(line, this.#columns[at] ?? 0, `a counter of ${name} in /proc/net/dev`),
        );
    }
    if (this.#rates.isBroken)
      throw new InvalidValueError(`a counter of ${name} in /proc/net/dev runs back or jumps in each sample`);
    return undefined;
  }
}

/** The speed of the link in Gbit/s, at least 1. */
function gigabits(hostFiles: HostFiles, name: string): number {
  try {
    const mbitPerS = readSpeed(hostFiles, `sys/class/net/${name}`) ?? UNKNOWN_SPEED_MBIT;
    return Math.max(1, mbitPerS / MBIT_OF_GIGABIT);
  } catch {
    return 1;
  }
}

function openNetwork(hostFiles: HostFiles, clock: MonotonicClock, isSelected: KeyFilter): Collect {
  const interfaces = new InterfaceSelector(hostFiles);
  let meters = new Map<string, InterfaceMeter>();
  return () => {
    const read = new PartialRead();
    const lines = readLines(hostFiles, read);
    const atMs = clock.monotonicMs();
    const selected = interfaces.select([...lines.keys()], (name, error) => read.fail(name, error));
    // The counters of a removed interface are dropped, so that it starts again when it returns.
    const present = new Map<string, InterfaceMeter>();
    for (const networkInterface of selected) {
      const { name } = networkInterface;
      const meter = meters.get(name) ?? new InterfaceMeter(hostFiles, networkInterface, isSelected);
      present.set(name, meter);
      meter.readInto(read, lines.get(name), atMs);
    }
    meters = present;
    return read.result();
  };
}

/** What follows the name of each interface; undefined for one in several lines. */
function readLines(hostFiles: HostFiles, read: PartialRead): ReadonlyMap<string, string | undefined> {
  const lines = splitLines(hostFiles.read('proc/net/dev'), 'proc/net/dev');
  if (!lines.some((line) => line.includes('|bytes')))
    throw new InvalidValueError('/proc/net/dev has no header line');
  const byName = new Map<string, string | undefined>();
  for (const line of lines) {
    const isHeader = line.includes('|');
    if (isHeader || line.trim() === '') continue;
    // The last colon: an alias of old kernels and containers has one in its name, as in `eth0:0:`.
    const colon = line.lastIndexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (name === '')
      read.fail('line', new InvalidValueError('/proc/net/dev has a line without the name of an interface'));
    else byName.set(name, byName.has(name) ? undefined : line.slice(colon + 1));
  }
  return byName;
}

function bytes(key: string, meaning: string): CatalogueEntry {
  const bounds = { min: 0, max: BYTES_PER_S_MAX, decimals: 0 };
  return { key, type: 'number', profile: 'default', unit: 'B/s', ...bounds, meaning, source: SOURCE };
}

function packets(key: string, rate: string): CatalogueEntry {
  const bounds = { min: 0, max: PACKETS_PER_S_MAX, decimals: 2 };
  const meaning = `${rate}, since the previous sample`;
  return { key, type: 'number', profile: 'full', unit: '1/s', ...bounds, meaning, source: SOURCE };
}
