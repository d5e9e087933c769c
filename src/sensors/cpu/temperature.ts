/**
 * CPU temperature, from a thermal zone named after the CPU or its chip, or else from a hwmon chip known to
 * measure the CPU. The search reads only names and labels, never a measurement of another chip, which can
 * wait for an I2C bus. The source is kept until it fails; without one the search is repeated once a minute,
 * because drivers load late.
 */

import { devicePathOf } from '../devices/labels.ts';
import type { HostFiles } from '../files/host-files.ts';
import { parseInteger } from '../files/parse.ts';
import type { Collect, Collector, MonotonicClock } from '../runtime/collector.ts';

export const temperature: Collector = {
  name: 'temperature',
  catalogue: [
    {
      key: 'cpuTemperatureC',
      type: 'number',
      profile: 'minimal',
      unit: '°C',
      min: -60,
      max: 150,
      decimals: 1,
      meaning: 'temperature of the CPU',
      source: 'Documentation/ABI/testing/sysfs-class-thermal, sysfs-class-hwmon',
    },
  ],
  open: openTemperature,
};

const SEARCH_INTERVAL_MS = 60_000;
const MILLIDEGREES_PER_DEGREE = 1000;

/**
 * In this order: Raspberry Pi and most ARM boards, Intel, older Raspberry Pi kernels, then whole-chip zones.
 */
const ZONE_TYPES: readonly RegExp[] = [
  /^cpu[-_]?thermal/,
  /^x86_pkg_temp$/,
  /^cpu.*[-_]thermal/,
  /^bcm2835_thermal$/,
  /^(soc|package)[-_]?thermal/,
];

/** Chips, and their labels for the whole CPU, best first. Tdie is Tctl without AMD's offset. */
const CHIPS: readonly { readonly name: string; readonly labels: readonly string[] }[] = [
  { name: 'k10temp', labels: ['Tdie', 'Tctl'] },
  { name: 'zenpower', labels: ['Tdie', 'Tctl'] },
  { name: 'coretemp', labels: ['Package id 0', 'Physical id 0'] },
  { name: 'cpu_thermal', labels: [] },
];

function openTemperature(hostFiles: HostFiles, clock: MonotonicClock): Collect {
  let path: string | undefined;
  let nextSearchMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (path === undefined && clock.monotonicMs() >= nextSearchMs) {
      nextSearchMs = clock.monotonicMs() + SEARCH_INTERVAL_MS;
      path = findZone(hostFiles) ?? findChip(hostFiles);
    }
    if (path === undefined) return {};
    try {
      const degrees = parseInteger(hostFiles.read(path).trim(), `/${path}`) / MILLIDEGREES_PER_DEGREE;
      return { cpuTemperatureC: degrees };
    } catch (error) {
      path = undefined;
      nextSearchMs = Number.NEGATIVE_INFINITY;
      throw error;
    }
  };
}

function findZone(hostFiles: HostFiles): string | undefined {
  const folder = 'sys/class/thermal';
  const zones = listNumbered(hostFiles, folder, 'thermal_zone').map((zone) => ({
    path: `${folder}/${zone}/temp`,
    type: readName(hostFiles, `${folder}/${zone}/type`),
  }));
  return cpuZoneOf(zones)?.path;
}

/** The zone of the CPU, if `zones` are in the order of their numbers. */
export function cpuZoneOf<Zone extends { readonly type: string }>(zones: readonly Zone[]): Zone | undefined {
  for (const type of ZONE_TYPES) {
    const zone = zones.find((candidate) => type.test(candidate.type));
    if (zone !== undefined) return zone;
  }
  return undefined;
}

function findChip(hostFiles: HostFiles): string | undefined {
  const folder = 'sys/class/hwmon';
  const chips = listNumbered(hostFiles, folder, 'hwmon').map((chip) => ({
    // The path of the device, because another chip can get the number of the class link.
    path: devicePathOf(hostFiles, `${folder}/${chip}`),
    name: readName(hostFiles, `${folder}/${chip}/name`),
  }));
  for (const { name, labels } of CHIPS) {
    const chip = chips.find((candidate) => candidate.name === name);
    if (chip !== undefined) return `${chip.path}/${findInput(hostFiles, chip.path, labels)}`;
  }
  return undefined;
}

/**
 * Whether this collector would read the channel (`temp1`) of the chip; `labels` are all labels of the chip.
 */
export function isCpuChannel(
  chip: string,
  channel: string,
  label: string | undefined,
  labels: readonly string[],
): boolean {
  const knownChip = CHIPS.find(({ name }) => name === chip);
  if (knownChip === undefined) return false;
  const bestLabel = knownChip.labels.find((each) => labels.includes(each));
  return bestLabel === undefined ? channel === 'temp1' && label === undefined : label === bestLabel;
}

/** The input with the best of `labels`; the first input of the chip without any of them. */
function findInput(hostFiles: HostFiles, chip: string, labels: readonly string[]): string {
  const inputs = hostFiles
    .list(chip)
    .filter((file) => /^temp\d+_label$/.test(file))
    .map((file) => ({ file, label: readName(hostFiles, `${chip}/${file}`) }));
  for (const label of labels) {
    const match = inputs.find((candidate) => candidate.label === label);
    if (match !== undefined) return match.file.replace('_label', '_input');
  }
  return 'temp1_input';
}

/** The entries prefix0, prefix1 … of a folder in the order of their numbers; empty without the folder. */
export function listNumbered(hostFiles: HostFiles, folder: string, prefix: string): readonly string[] {
  if (!hostFiles.has(folder)) return [];
  const number = (name: string) => Number(name.slice(prefix.length));
  return hostFiles
    .list(folder)
    .filter((name) => name.startsWith(prefix) && Number.isInteger(number(name)))
    .toSorted((a, b) => number(a) - number(b));
}

/** '' if the name cannot be read, so that the other zones and chips are still found. */
function readName(hostFiles: HostFiles, path: string): string {
  try {
    return hostFiles.read(path).trim();
  } catch {
    return '';
  }
}
