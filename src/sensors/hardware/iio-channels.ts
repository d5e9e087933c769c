/**
 * Finds the IIO devices, the channels whose value has a unit, and stable names for both; starts no
 * measurement. Files of a channel are named `in_<quantity><qualifier>_<attribute>`: `in_temp_input`,
 * `in_voltage0_raw`, `in_temp_object_scale`, and `in_voltage0-voltage1_raw` for a difference.
 */

import { addressOf } from '../devices/address.ts';
import { assignKeyParts, countOccurrences, labelPart } from '../devices/keys.ts';
import { devicePathOf, readLabel, readLinkTarget } from '../devices/labels.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional } from '../files/optional-files.ts';

const QUANTITIES = ['temp', 'humidityrelative', 'pressure', 'illuminance', 'voltage', 'current'] as const;
export type Quantity = (typeof QUANTITIES)[number];

interface ChannelIdentity {
  readonly quantity: Quantity;
  /** `''`, `0`, `_object`, `0-voltage1`. */
  readonly qualifier: string;
  readonly label: string | undefined;
  /** The device has no other channel of the quantity. */
  readonly isOnly: boolean;
}

/** File names of a value: ready, or to be calculated. */
type ValueFiles =
  | { readonly input: string }
  | {
      readonly input?: undefined;
      readonly raw: string;
      readonly scale: string;
      readonly offset: string | undefined;
    };

export type Channel = ChannelIdentity & ValueFiles;

export interface IioDevice {
  readonly path: string;
  /** Its part of a key. */
  readonly part: string;
  readonly channels: readonly Channel[];
}

const FOLDER = 'sys/bus/iio/devices';

export function findDevices(hostFiles: HostFiles): readonly IioDevice[] {
  const devices = listOptional(hostFiles, FOLDER)
    .filter((name) => /^iio:device\d+$/.test(name))
    .flatMap((device) => {
      const path = `${FOLDER}/${device}`;
      const name = readLabel(hostFiles, `${path}/label`) ?? readLabel(hostFiles, `${path}/name`);
      const address = addressOf(readLinkTarget(hostFiles, path));
      return name === undefined ? [] : { path: devicePathOf(hostFiles, path), name, address };
    });
  return assignKeyParts(devices).map(({ part, item: { path } }) => ({
    path,
    part,
    channels: channelsOf(hostFiles, path),
  }));
}

function channelsOf(hostFiles: HostFiles, path: string): readonly Channel[] {
  const files = new Set(listOptional(hostFiles, path));
  const candidates = [...files].flatMap((file) => {
    const [, stem, quantity, qualifier] =
      /^(in_([a-z]+)(\d*(?:-[a-z]+\d+)?(?:_[a-z][a-z0-9_]*)?))_(?:input|raw)$/.exec(file) ?? [];
    const knownQuantity = QUANTITIES.find((each) => each === quantity);
    if (stem === undefined || qualifier === undefined || knownQuantity === undefined) return [];
    // A channel with both files is read once, without arithmetic.
    if (file.endsWith('_raw') && files.has(`${stem}_input`)) return [];
    const value = findValueFiles(files, stem, knownQuantity, qualifier);
    const label = files.has(`${stem}_label`) ? readLabel(hostFiles, `${path}/${stem}_label`) : undefined;
    return value === undefined ? [] : [{ quantity: knownQuantity, qualifier, label, ...value }];
  });
  const quantities = countOccurrences(candidates.map(({ quantity }) => quantity));
  const labels = countOccurrences(
    candidates.map(({ quantity, label = '' }) => `${quantity} ${labelPart(label)}`),
  );
  return candidates.map((channel) => ({
    ...channel,
    isOnly: quantities.get(channel.quantity) === 1,
    // Equal labels of two channels identify neither.
    label:
      labels.get(`${channel.quantity} ${labelPart(channel.label ?? '')}`) === 1 ? channel.label : undefined,
  }));
}

function findValueFiles(
  files: ReadonlySet<string>,
  stem: string,
  quantity: Quantity,
  qualifier: string,
): ValueFiles | undefined {
  if (files.has(`${stem}_input`)) return { input: `${stem}_input` };
  const scale = findSharedFile(files, stem, quantity, qualifier, 'scale');
  return scale === undefined
    ? undefined
    : { raw: `${stem}_raw`, scale, offset: findSharedFile(files, stem, quantity, qualifier, 'offset') };
}

/**
 * The file of the channel, or else the one shared by all channels of the quantity: `in_voltage-voltage_scale`
 * for a difference, `in_temp_object_scale` for channels with a qualifier.
 */
function findSharedFile(
  files: ReadonlySet<string>,
  stem: string,
  quantity: Quantity,
  qualifier: string,
  attribute: 'scale' | 'offset',
): string | undefined {
  const all = qualifier.includes('-') ? `in_${quantity}-${quantity}` : `in_${quantity}`;
  return [stem, `in_${quantity}${qualifier.replaceAll(/\d/g, '')}`, all, `in_${quantity}`]
    .map((prefix) => `${prefix}_${attribute}`)
    .find((file) => files.has(file));
}
