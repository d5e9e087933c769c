/**
 * Rates, link state and link speed of each physical interface (interfaces.ts). All counters come from one
 * file; the state takes one more read an interface. An interface has no rates in its first sample or after a
 * reset (counter-rates.ts), and an invalid value of one does not affect the others. Signal and technology of
 * a cellular modem are missing: the kernel has no file for them, only the protocol of the modem.
 */

import { CounterRates, type Counts } from '../devices/counter-rates.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOptional } from '../files/optional-files.ts';
import { asError, InvalidValueError, parseCounter, splitLines } from '../files/parse.ts';
import {
  type CatalogueEntry,
  type Collect,
  type Collector,
  type KeyFilter,
  type MonotonicClock,
  PartialReadError,
} from '../runtime/collector.ts';
import { InterfaceSelector, type NetworkInterface } from './interfaces.ts';
import { readLinkState } from './link-state.ts';

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
  open: openNetwork,
};

/** Highest rates of 32-bit counters: only some drivers on 32-bit kernels have them, for at most 1 Gbit/s. */
const BYTES = 125_000_000;
const PACKETS = 1_500_000;
/** Counters that tell a reset from a wrap; they are read even if their rates are not selected. */
const RESET_DETECTORS: ReadonlySet<Counter> = new Set([
  'RxBytesPerS',
  'TxBytesPerS',
  'RxPacketsPerS',
  'TxPacketsPerS',
]);

/** One interface and its selected counters. */
interface InterfaceCounters {
  readonly networkInterface: NetworkInterface;
  readonly columns: readonly (readonly [Counter, number])[];
  readonly keys: readonly (readonly [Counter, string])[];
  readonly rates: CounterRates<Counter>;
}

function openNetwork(hostFiles: HostFiles, clock: MonotonicClock, isSelected: KeyFilter): Collect {
  const interfaces = new InterfaceSelector(hostFiles);
  let countersByName = new Map<string, InterfaceCounters>();
  return () => {
    const lines = readLines(hostFiles);
    const atMs = clock.monotonicMs();
    const selected = interfaces.select([...lines.keys()]);
    // The counters of a removed interface are dropped, so that it starts again when it returns.
    countersByName = new Map(
      selected.map((networkInterface) => [
        networkInterface.name,
        countersByName.get(networkInterface.name) ?? createCounters(networkInterface, isSelected),
      ]),
    );
    const measurements: Record<string, number | boolean | undefined> = {};
    const failures = new Map<string, Error>();
    const attempt = (name: string, read: () => void) => {
      try {
        read();
      } catch (error) {
        failures.set(name, asError(error));
      }
    };
    for (const { networkInterface, columns, keys, rates } of countersByName.values()) {
      attempt(networkInterface.name, () => {
        const identity = readOptional(hostFiles, `sys/class/net/${networkInterface.name}/ifindex`);
        const perS = rates.next(
          countsOf(lines.get(networkInterface.name), columns, networkInterface.name),
          atMs,
          identity,
        );
        if (perS) for (const [counter, key] of keys) measurements[key] = perS[counter];
      });
      attempt(networkInterface.name, () =>
        Object.assign(measurements, readLinkState(hostFiles, networkInterface, isSelected)),
      );
    }
    if (failures.size > 0) throw new PartialReadError(measurements, failures);
    return measurements;
  };
}

function createCounters(networkInterface: NetworkInterface, isSelected: KeyFilter): InterfaceCounters {
  const all = (Object.keys(COLUMNS) as Counter[]).map(
    (counter) => [counter, `net${networkInterface.part}${counter}`] as const,
  );
  const keys = all.filter(([, key]) => isSelected(key));
  const columns = all
    .filter(([counter, key]) => RESET_DETECTORS.has(counter) || isSelected(key))
    .map(([counter]) => [counter, COLUMNS[counter]] as const);
  const perSMax = columns.map(([counter]) => [counter, counter.includes('Bytes') ? BYTES : PACKETS]);
  return {
    networkInterface,
    columns,
    keys,
    rates: new CounterRates(Object.fromEntries(perSMax) as Counts<Counter>),
  };
}

/** What stands behind the name of each interface. */
function readLines(hostFiles: HostFiles): ReadonlyMap<string, string> {
  const [first, second, ...lines] = splitLines(hostFiles.read('proc/net/dev'), 'proc/net/dev');
  if (!first?.startsWith('Inter-') || !second?.includes('bytes')) {
    throw new InvalidValueError('/proc/net/dev has no header line');
  }
  const byName = new Map<string, string>();
  for (const line of lines) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) throw new InvalidValueError('/proc/net/dev has a line without the name of an interface');
    byName.set(line.slice(0, colon).trim(), line.slice(colon + 1));
  }
  return byName;
}

function countsOf(
  line: string | undefined,
  columns: InterfaceCounters['columns'],
  name: string,
): Counts<Counter> {
  const fields = (line ?? '').trim().split(/\s+/);
  const counts: Record<string, number> = {};
  for (const [key, column] of columns)
    counts[key] = parseCounter(fields[column], `a counter of ${name} in /proc/net/dev`);
  return counts as Counts<Counter>;
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
