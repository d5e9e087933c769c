/**
 * Industrial I/O: environmental sensors and analogue-to-digital converters. A channel has a value in the unit
 * of the kernel (`_input`), or (raw + offset) × scale, or else no unit, and is left out. Scale and offset are
 * read with each value, because another program can change the gain. Read through the thread pool: a
 * measurement on I2C or SPI takes 1 ms (converter), 40 ms (BME280) or up to 1 s (DHT11).
 */

import { Discovery } from '../devices/discovery.ts';
import { fillKey, filterUniqueKeys, labelPart } from '../devices/keys.ts';
import { DevicePoller, type DeviceValue, readLine } from '../devices/poll-devices.ts';
import { isAboveZeroKelvin } from '../devices/register-limits.ts';
import type { HostFiles } from '../files/host-files.ts';
import { parseSignedDecimal } from '../files/parse.ts';
import type { CatalogueEntry, Collector, KeyFilter, Unit } from '../runtime/collector.ts';
import { type Channel, findDevices, type Quantity } from './iio-channels.ts';

const SOURCE = 'Documentation/ABI/testing/sysfs-bus-iio';

export const iio: Collector = {
  name: 'iio',
  catalogue: [
    entry('iio*TemperatureC', '°C', 2, [-273.15, 2000], 'temperature', 'default'),
    entry('iio*HumidityPercent', '%', 1, [0, 100], 'relative humidity', 'default'),
    entry('iio*PressureHpa', 'hPa', 2, [0, 100_000], 'pressure', 'default'),
    entry('iio*IlluminanceLx', 'lx', 2, [0, 1_000_000], 'illuminance', 'default'),
    entry(
      'iio*V',
      'V',
      4,
      [-10_000, 10_000],
      'voltage of one channel of an analogue-to-digital converter',
      'full',
    ),
    entry(
      'iio*A',
      'A',
      4,
      [-10_000, 10_000],
      'current of one channel of an analogue-to-digital converter',
      'full',
    ),
  ],
  notes: ['-273.15 °C (0 K) is what a sensor without a measurement returns: no reading.'],
  open(hostFiles, clock, isSelected) {
    const devices = new Discovery(clock, () => findDeviceValues(hostFiles, isSelected));
    const poller = new DevicePoller(clock, () => devices.invalidate());
    return () => poller.poll(devices.current);
  },
};

function entry(
  key: string,
  unit: Unit,
  decimals: number,
  [min, max]: readonly [number, number],
  meaning: string,
  profile: 'default' | 'full',
): CatalogueEntry {
  return { key, type: 'number', profile, unit, min, max, decimals, meaning, source: SOURCE };
}

/**
 * Key pattern of each quantity, and the number of kernel units (m°C, m%, kPa, lx, mV, mA) in one unit of the
 * key.
 */
const QUANTITIES: Readonly<Record<Quantity, { readonly key: string; readonly perUnit: number }>> = {
  temp: { key: 'iio*TemperatureC', perUnit: 1000 },
  humidityrelative: { key: 'iio*HumidityPercent', perUnit: 1000 },
  pressure: { key: 'iio*PressureHpa', perUnit: 0.1 },
  illuminance: { key: 'iio*IlluminanceLx', perUnit: 1 },
  voltage: { key: 'iio*V', perUnit: 1000 },
  current: { key: 'iio*A', perUnit: 1000 },
};

/** Each key permanently occupies an entry of the server's key dictionary. */
const DEVICE_VALUES_MAX = 64;

function findDeviceValues(hostFiles: HostFiles, isSelected: KeyFilter): readonly DeviceValue[] {
  const deviceValues = findDevices(hostFiles).flatMap(({ path, part, channels }) =>
    channels.map(
      (channel): DeviceValue => ({
        device: path,
        key: fillKey(QUANTITIES[channel.quantity].key, `${part}${channelPart(channel)}`),
        read: () => readReading(hostFiles, path, channel),
      }),
    ),
  );
  return filterUniqueKeys(deviceValues)
    .filter(({ key }) => isSelected(key))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, DEVICE_VALUES_MAX);
}

/** Empty for the only channel of a quantity, except that a converter always names its channels. */
function channelPart({ quantity, label, qualifier, isOnly }: Channel): string {
  if (label !== undefined) return labelPart(label);
  if (quantity === 'voltage' || quantity === 'current') return labelPart(`${quantity}${qualifier}`);
  return isOnly ? '' : labelPart(qualifier);
}

/** Undefined without a measurement. */
async function readReading(
  hostFiles: HostFiles,
  path: string,
  channel: Channel,
): Promise<number | undefined> {
  const value = await readChannel(hostFiles, path, channel);
  return channel.quantity === 'temp' && !isAboveZeroKelvin(value) ? undefined : value;
}

async function readChannel(hostFiles: HostFiles, path: string, channel: Channel): Promise<number> {
  const { perUnit } = QUANTITIES[channel.quantity];
  const readNumber = async (file: string) =>
    parseSignedDecimal(await readLine(hostFiles, `${path}/${file}`), `/${path}/${file}`);
  if (channel.input !== undefined) return (await readNumber(channel.input)) / perUnit;
  const raw = await readNumber(channel.raw);
  const offset = channel.offset === undefined ? 0 : await readNumber(channel.offset);
  return ((raw + offset) * (await readNumber(channel.scale))) / perUnit;
}
