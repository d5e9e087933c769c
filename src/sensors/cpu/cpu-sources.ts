/**
 * The files with the temperature of the CPU, best first: a thermal zone named after the CPU or its chip, then a
 * hwmon chip known to measure it. The search reads only names and labels, never a measurement of another chip.
 */

import { devicePathOf } from '../devices/labels.ts';
import type { HostFiles } from '../files/host-files.ts';

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

interface KnownChip {
  readonly name: string;
  readonly labels: readonly string[];
}

/** The name of a chip that only repeats the zone. */
const ZONE_CHIP = 'cpu_thermal';

/** Chips, and their labels for the whole CPU, best first. Tdie is Tctl without AMD's offset. */
const CHIPS: readonly KnownChip[] = [
  { name: 'k10temp', labels: ['Tdie', 'Tctl'] },
  { name: 'zenpower', labels: ['Tdie', 'Tctl'] },
  { name: 'coretemp', labels: ['Package id 0', 'Physical id 0'] },
  { name: ZONE_CHIP, labels: [] },
];

/** None, one or two paths below the root. */
export function findCpuSources(hostFiles: HostFiles): readonly string[] {
  const zone = findZone(hostFiles);
  const chip = findChip(
    hostFiles,
    zone === undefined ? CHIPS : CHIPS.filter(({ name }) => name !== ZONE_CHIP),
  );
  return [zone, chip].filter((path) => path !== undefined);
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

function findChip(hostFiles: HostFiles, known: readonly KnownChip[]): string | undefined {
  const folder = 'sys/class/hwmon';
  const chips = listNumbered(hostFiles, folder, 'hwmon').map((chip) => ({
    // The path of the device, because another chip can get the number of the class link.
    path: devicePathOf(hostFiles, `${folder}/${chip}`),
    name: readName(hostFiles, `${folder}/${chip}/name`),
  }));
  for (const { name, labels } of known) {
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
