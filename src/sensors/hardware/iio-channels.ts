/**
 * Which IIO devices there are, which of their channels have a value with a unit, and what they are called.
 *
 * A channel's files are named `in_<quantity><which>_<what>`: `in_temp_input`, `in_voltage0_raw`, `in_temp_object_scale`,
 * `in_voltage0-voltage1_raw` for a difference. `which` is a number or words of the driver's, so it stays. Nothing is
 * measured here.
 */

import { addressOf } from '../devices/address.ts';
import { counted, labelPart, tellApart } from '../devices/keys.ts';
import { labelIn, placeOf, wayTo } from '../devices/labels.ts';
import type { Tree } from '../files/host-files.ts';
import { listIfThere } from '../files/optional-files.ts';

const QUANTITIES = ['temp', 'humidityrelative', 'pressure', 'illuminance', 'voltage', 'current'] as const;
export type Quantity = (typeof QUANTITIES)[number];

interface Place {
  readonly quantity: Quantity;
  /** `''`, `0`, `_object`, `0-voltage1`. */
  readonly which: string;
  readonly label: string | undefined;
  /** Whether the device has no other channel of that quantity. */
  readonly isAlone: boolean;
}

/** Where its value is: ready, or to be worked out. Names of files. */
type Value =
  | { readonly input: string }
  | {
      readonly input?: undefined;
      readonly raw: string;
      readonly scale: string;
      readonly offset: string | undefined;
    };

export type Channel = Place & Value;

export interface Device {
  readonly path: string;
  /** As it is in keys. */
  readonly part: string;
  readonly channels: readonly Channel[];
}

const FOLDER = 'sys/bus/iio/devices';

export function findDevices(tree: Tree): readonly Device[] {
  const devices = listIfThere(tree, FOLDER)
    .filter((name) => /^iio:device\d+$/.test(name))
    .flatMap((device) => {
      const path = `${FOLDER}/${device}`;
      const name = labelIn(tree, `${path}/label`) ?? labelIn(tree, `${path}/name`);
      const address = addressOf(wayTo(tree, path));
      return name === undefined ? [] : { path: placeOf(tree, path), name, address };
    });
  return tellApart(devices).map(({ part, of: { path } }) => ({
    path,
    part,
    channels: channelsOf(tree, path),
  }));
}

function channelsOf(tree: Tree, path: string): readonly Channel[] {
  const files = new Set(listIfThere(tree, path));
  const found = [...files].flatMap((file) => {
    const [, stem, quantity, which] =
      /^(in_([a-z]+)(\d*(?:-[a-z]+\d+)?(?:_[a-z][a-z0-9_]*)?))_(?:input|raw)$/.exec(file) ?? [];
    const known = QUANTITIES.find((each) => each === quantity);
    if (stem === undefined || which === undefined || known === undefined) return [];
    // A channel that has both is taken once, from the one that needs no arithmetic.
    if (file.endsWith('_raw') && files.has(`${stem}_input`)) return [];
    const value = valueFiles(files, stem, known, which);
    const label = files.has(`${stem}_label`) ? labelIn(tree, `${path}/${stem}_label`) : undefined;
    return value === undefined ? [] : [{ quantity: known, which, label, ...value }];
  });
  const quantities = counted(found.map(({ quantity }) => quantity));
  const labels = counted(found.map(({ quantity, label = '' }) => `${quantity} ${labelPart(label)}`));
  return found.map((channel) => ({
    ...channel,
    isAlone: quantities.get(channel.quantity) === 1,
    // Of two that are called the same, neither is.
    label:
      labels.get(`${channel.quantity} ${labelPart(channel.label ?? '')}`) === 1 ? channel.label : undefined,
  }));
}

function valueFiles(
  files: ReadonlySet<string>,
  stem: string,
  quantity: Quantity,
  which: string,
): Value | undefined {
  if (files.has(`${stem}_input`)) return { input: `${stem}_input` };
  const scale = shared(files, stem, quantity, which, 'scale');
  return scale === undefined
    ? undefined
    : { raw: `${stem}_raw`, scale, offset: shared(files, stem, quantity, which, 'offset') };
}

/**
 * The channel's own file; else that of all channels of its quantity. The kernel writes the latter for a difference as
 * `in_voltage-voltage_scale`, and with the word of a channel that has one as `in_temp_object_scale`.
 */
function shared(
  files: ReadonlySet<string>,
  stem: string,
  quantity: Quantity,
  which: string,
  what: 'scale' | 'offset',
): string | undefined {
  const all = which.includes('-') ? `in_${quantity}-${quantity}` : `in_${quantity}`;
  return [stem, `in_${quantity}${which.replaceAll(/\d/g, '')}`, all, `in_${quantity}`]
    .map((begin) => `${begin}_${what}`)
    .find((file) => files.has(file));
}
