/**
 * Finds the hwmon chips, the channels that no other collector reports, and stable names for both. It reads
 * only names and labels, which the driver has in memory, and starts no measurement.
 */

import { isCpuChannel } from '../cpu/cpu-sources.ts';
import { addressOf } from '../devices/address.ts';
import { assignKeyParts, countOccurrences, labelPart } from '../devices/keys.ts';
import { devicePathOf, readLabel, readLinkTarget, stableDriverName } from '../devices/labels.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional } from '../files/optional-files.ts';

const TYPES = ['temp', 'fan', 'in', 'curr', 'power', 'humidity'] as const;

export interface Channel {
  readonly type: (typeof TYPES)[number];
  /** `temp1`: a pin or a register of the chip, so it is stable. */
  readonly name: string;
  /** The file with the value: `temp1_input`, or `power1_average`. */
  readonly file: string;
  /** From the driver or the device tree; undefined if another channel of the type has the same label. */
  readonly label: string | undefined;
  readonly hasEnableFile: boolean;
  readonly hasFaultFile: boolean;
}

export interface Chip {
  readonly path: string;
  readonly name: string;
  /** The type of the chip, as its driver names it. */
  readonly driver: string;
  /** Its part of a key. */
  readonly part: string;
  readonly channels: readonly Channel[];
}

const FOLDER = 'sys/class/hwmon';

export function findChips(hostFiles: HostFiles): readonly Chip[] {
  const chips = listOptional(hostFiles, FOLDER)
    .filter((name) => /^hwmon\d+$/.test(name))
    .flatMap((name) => readChip(hostFiles, `${FOLDER}/${name}`) ?? []);
  return assignKeyParts(chips).map(({ part, item: { path, name, driver } }) => ({
    path,
    name,
    driver,
    part,
    channels: channelsOf(hostFiles, path, driver),
  }));
}

interface ChipIdentity {
  readonly path: string;
  readonly name: string;
  readonly driver: string;
  readonly address: string;
}

function readChip(hostFiles: HostFiles, path: string): ChipIdentity | undefined {
  const driver = readLabel(hostFiles, `${path}/name`);
  if (driver === undefined || isHandledElsewhere(hostFiles, path, driver)) return undefined;
  // The label in the device tree is more specific than the type of the chip.
  const name = readLabel(hostFiles, `${path}/label`) ?? stableDriverName(driver);
  return {
    path: devicePathOf(hostFiles, path),
    name,
    driver,
    address: addressOf(readLinkTarget(hostFiles, path)),
  };
}

/** Batteries, thermal zones, IIO channels and 1-Wire thermometers have their own collectors. */
function isHandledElsewhere(hostFiles: HostFiles, path: string, name: string): boolean {
  if (name === 'iio_hwmon') return true;
  if (/\/(power_supply|thermal|w1_bus_master\d+)\//.test(readLinkTarget(hostFiles, path))) return true;
  return /\/iio_hwmon$/.test(readLinkTarget(hostFiles, `${path}/device/driver`));
}

function channelsOf(hostFiles: HostFiles, path: string, driver: string): readonly Channel[] {
  const files = new Set(listOptional(hostFiles, path));
  const candidates = [...files].flatMap((file) => {
    const [, name, type] = /^((temp|fan|in|curr|power|humidity)\d+)_(?:input|average)$/.exec(file) ?? [];
    const channelType = TYPES.find((each) => each === type);
    // For power, the current value comes before the average.
    if (name === undefined || channelType === undefined) return [];
    if (file.endsWith('_average') && (channelType !== 'power' || files.has(`${name}_input`))) return [];
    const label = files.has(`${name}_label`) ? readLabel(hostFiles, `${path}/${name}_label`) : undefined;
    return {
      type: channelType,
      name,
      file,
      label,
      hasEnableFile: files.has(`${name}_enable`),
      hasFaultFile: files.has(`${name}_fault`),
    };
  });
  const labels = candidates.flatMap(({ label }) => label ?? []);
  const remaining = candidates.filter(({ name, label }) => !isCpuChannel(driver, name, label, labels));
  const parts = countOccurrences(remaining.map(typeAndPart));
  return remaining.map((channel) =>
    parts.get(typeAndPart(channel)) === 1 ? channel : { ...channel, label: undefined },
  );
}

function typeAndPart({ type, name, label }: Channel): string {
  return `${type} ${labelPart(label ?? name)}`;
}
