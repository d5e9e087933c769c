/**
 * CPU temperature, from the first of these that the host has: a thermal zone that is named after the CPU (or after the chip it
 * is on), then a hwmon chip known to measure it. A host with neither, such as most virtual machines, has no such key.
 *
 * The source is looked for once and kept; it is looked for again after it failed, and once a minute while there is none, since
 * a driver may load late. Looking reads names and labels only, which the kernel has in memory, never another chip's
 * measurement, which may wait for an I2C bus. The measurement itself is a register of the CPU.
 */

import { placeOf } from '../devices/labels.ts';
import type { Tree } from '../files/host-files.ts';
import { integer } from '../files/parse.ts';
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

const LOOK_AGAIN_MS = 60_000;
const MILLIDEGREES_PER_DEGREE = 1000;

/** In this order: Raspberry Pi and most ARM boards, Intel, older Raspberry Pi kernels, then whole-chip zones. */
const ZONE_TYPES: readonly RegExp[] = [
  /^cpu[-_]?thermal/,
  /^x86_pkg_temp$/,
  /^cpu.*[-_]thermal/,
  /^bcm2835_thermal$/,
  /^(soc|package)[-_]?thermal/,
];

/** Chips and, of their several labels, those that mean the whole CPU, best first. Tdie is Tctl without AMD's offset. */
const CHIPS: readonly { readonly name: string; readonly labels: readonly string[] }[] = [
  { name: 'k10temp', labels: ['Tdie', 'Tctl'] },
  { name: 'zenpower', labels: ['Tdie', 'Tctl'] },
  { name: 'coretemp', labels: ['Package id 0', 'Physical id 0'] },
  { name: 'cpu_thermal', labels: [] },
];

function openTemperature(tree: Tree, clock: MonotonicClock): Collect {
  let path: string | undefined;
  let lookAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (path === undefined && clock.monotonicMs() >= lookAtMs) {
      lookAtMs = clock.monotonicMs() + LOOK_AGAIN_MS;
      path = findZone(tree) ?? findChip(tree);
    }
    if (path === undefined) return {};
    try {
      const degrees = integer(tree.read(path).trim(), `/${path}`) / MILLIDEGREES_PER_DEGREE;
      return { cpuTemperatureC: degrees };
    } catch (error) {
      path = undefined;
      lookAtMs = Number.NEGATIVE_INFINITY;
      throw error;
    }
  };
}

function findZone(tree: Tree): string | undefined {
  const folder = 'sys/class/thermal';
  const zones = numbered(tree, folder, 'thermal_zone').map((zone) => ({
    path: `${folder}/${zone}/temp`,
    type: nameIn(tree, `${folder}/${zone}/type`),
  }));
  return cpuZoneOf(zones)?.path;
}

/** Of zones in the order of their numbers, the one this collector reads. */
export function cpuZoneOf<Zone extends { readonly type: string }>(zones: readonly Zone[]): Zone | undefined {
  for (const type of ZONE_TYPES) {
    const zone = zones.find((candidate) => type.test(candidate.type));
    if (zone !== undefined) return zone;
  }
  return undefined;
}

function findChip(tree: Tree): string | undefined {
  const folder = 'sys/class/hwmon';
  const chips = numbered(tree, folder, 'hwmon').map((chip) => ({
    // Kept until it fails, and so not to be another chip's when that gets the number.
    path: placeOf(tree, `${folder}/${chip}`),
    name: nameIn(tree, `${folder}/${chip}/name`),
  }));
  for (const { name, labels } of CHIPS) {
    const chip = chips.find((candidate) => candidate.name === name);
    if (chip !== undefined) return `${chip.path}/${inputOf(tree, chip.path, labels)}`;
  }
  return undefined;
}

/** Whether a channel (`temp1`) of a chip is the one this collector would read; `labels` are all that the chip has. */
export function isCpuChannel(
  chip: string,
  channel: string,
  label: string | undefined,
  labels: readonly string[],
): boolean {
  const known = CHIPS.find(({ name }) => name === chip);
  if (known === undefined) return false;
  const best = known.labels.find((each) => labels.includes(each));
  return best === undefined ? channel === 'temp1' && label === undefined : label === best;
}

/** The input whose label comes first in our list; the chip's first input when none of them is there. */
function inputOf(tree: Tree, chip: string, labels: readonly string[]): string {
  const named = tree
    .list(chip)
    .filter((file) => /^temp\d+_label$/.test(file))
    .map((file) => ({ file, label: nameIn(tree, `${chip}/${file}`) }));
  for (const label of labels) {
    const found = named.find((candidate) => candidate.label === label);
    if (found !== undefined) return found.file.replace('_label', '_input');
  }
  return 'temp1_input';
}

/** The folder's entries prefix0, prefix1 ... in the order of their numbers; none when there is no such folder. */
export function numbered(tree: Tree, folder: string, prefix: string): readonly string[] {
  if (!tree.has(folder)) return [];
  const number = (name: string) => Number(name.slice(prefix.length));
  return tree
    .list(folder)
    .filter((name) => name.startsWith(prefix) && Number.isInteger(number(name)))
    .toSorted((a, b) => number(a) - number(b));
}

/** A zone or chip that will not say its name is none we know: the others must still be found. */
function nameIn(tree: Tree, path: string): string {
  try {
    return tree.read(path).trim();
  } catch {
    return '';
  }
}
