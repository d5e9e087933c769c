/**
 * Which hwmon chips there are, which of their channels are nobody else's, and what tells them apart.
 *
 * Looks at names and labels only, which the driver has in memory; no chip is asked for a measurement here.
 */

import { isCpuChannel } from '../cpu/temperature.ts';
import { addressOf } from '../devices/address.ts';
import { counted, labelPart, tellApart } from '../devices/keys.ts';
import { labelIn, placeOf, wayTo } from '../devices/labels.ts';
import type { Tree } from '../files/host-files.ts';
import { listIfThere } from '../files/optional-files.ts';

const TYPES = ['temp', 'fan', 'in', 'curr', 'power', 'humidity'] as const;

export interface Channel {
  readonly type: (typeof TYPES)[number];
  /** `temp1`: a pin or a register of the chip, so it stays. */
  readonly name: string;
  /** The file with the value: `temp1_input`, or `power1_average`. */
  readonly file: string;
  /** As the driver or the board's description calls it; undefined too when another of the type is called the same. */
  readonly label: string | undefined;
  readonly enable: boolean;
  readonly fault: boolean;
}

export interface Chip {
  readonly path: string;
  readonly name: string;
  /** As it is in keys. */
  readonly part: string;
  readonly channels: readonly Channel[];
}

const FOLDER = 'sys/class/hwmon';

export function findChips(tree: Tree): readonly Chip[] {
  const chips = listIfThere(tree, FOLDER)
    .filter((name) => /^hwmon\d+$/.test(name))
    .flatMap((name) => chipAt(tree, `${FOLDER}/${name}`) ?? []);
  return tellApart(chips).map(({ part, of: { path, name, driver } }) => ({
    path,
    name,
    part,
    channels: channelsOf(tree, path, driver),
  }));
}

interface Shown {
  readonly path: string;
  readonly name: string;
  readonly driver: string;
  readonly address: string;
}

function chipAt(tree: Tree, path: string): Shown | undefined {
  const driver = labelIn(tree, `${path}/name`);
  if (driver === undefined || isShownElsewhere(tree, path, driver)) return undefined;
  // What the board's description calls it says more than the chip's type.
  const name = labelIn(tree, `${path}/label`) ?? driver;
  return { path: placeOf(tree, path), name, driver, address: addressOf(wayTo(tree, path)) };
}

/** A battery, a thermal zone, IIO channels, a 1-Wire thermometer: each has its own collector, which knows more about it. */
function isShownElsewhere(tree: Tree, path: string, name: string): boolean {
  if (name === 'iio_hwmon') return true;
  if (/\/(power_supply|thermal|w1_bus_master\d+)\//.test(wayTo(tree, path))) return true;
  return /\/iio_hwmon$/.test(wayTo(tree, `${path}/device/driver`));
}

function channelsOf(tree: Tree, path: string, driver: string): readonly Channel[] {
  const files = new Set(listIfThere(tree, path));
  const found = [...files].flatMap((file) => {
    const [, name, type] = /^((temp|fan|in|curr|power|humidity)\d+)_(?:input|average)$/.exec(file) ?? [];
    const known = TYPES.find((each) => each === type);
    // A chip that measures power both ways is taken at its word of now.
    if (name === undefined || known === undefined) return [];
    if (file.endsWith('_average') && (known !== 'power' || files.has(`${name}_input`))) return [];
    const label = files.has(`${name}_label`) ? labelIn(tree, `${path}/${name}_label`) : undefined;
    return {
      type: known,
      name,
      file,
      label,
      enable: files.has(`${name}_enable`),
      fault: files.has(`${name}_fault`),
    };
  });
  const labels = found.flatMap(({ label }) => label ?? []);
  const others = found.filter(({ name, label }) => !isCpuChannel(driver, name, label, labels));
  const parts = counted(others.map(typeAndPart));
  return others.map((channel) =>
    parts.get(typeAndPart(channel)) === 1 ? channel : { ...channel, label: undefined },
  );
}

function typeAndPart({ type, name, label }: Channel): string {
  return `${type} ${labelPart(label ?? name)}`;
}
