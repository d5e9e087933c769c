/**
 * Chips of the kernel class hwmon, on boards, drives, fan controllers and power monitors. A key consists of
 * the chip and the label of the channel (`hwmonNvmeCompositeC`) or its pin (`hwmonNct6775Fan1Rpm`). Disabled
 * channels are absent, as are channels with a fault, which is logged. All reads go through the thread pool
 * (20 µs each): many chips are on I2C, and a list of fast drivers would need upkeep.
 */

import { Discovery } from '../devices/discovery.ts';
import { fillKey, filterUniqueKeys, labelPart } from '../devices/keys.ts';
import { DevicePoller, type DeviceValue, FaultyChannelError, readLine } from '../devices/poll-devices.ts';
import { isBoardTemperature, isDriveTemperature, isFanSpeed } from '../devices/register-limits.ts';
import type { HostFiles } from '../files/host-files.ts';
import { parseInteger } from '../files/parse.ts';
import type { CatalogueEntry, Collector, KeyFilter, Unit } from '../runtime/collector.ts';
import { type Channel, type Chip, findChips } from './hwmon-chips.ts';

const SOURCE = 'Documentation/hwmon/sysfs-interface.rst';

export const hwmon: Collector = {
  name: 'hwmon',
  catalogue: [
    entry(
      'hwmon*TemperatureC',
      '°C',
      [-100, 200],
      'temperature of a chip that also measures humidity',
      'default',
    ),
    entry('hwmon*HumidityPercent', '%', [0, 100], 'relative humidity', 'default'),
    entry('hwmon*C', '°C', [-273.15, 2000], 'temperature, named by chip and label'),
    entry('hwmon*Rpm', 'rpm', [0, 1_000_000], 'fan speed, named by chip and label'),
    entry('hwmon*V', 'V', [-10_000, 10_000], 'voltage, named by chip and label'),
    entry('hwmon*A', 'A', [-10_000, 10_000], 'current, named by chip and label'),
    entry('hwmon*W', 'W', [-1_000_000, 1_000_000], 'power, named by chip and label'),
  ],
  notes: [
    'A name does not contain numbers that a driver counts up as it loads: the chip of a Wi-Fi card is `Iwlwifi` or `Mt7915`, and two of them have their PCI address.',
    '-273.15 °C (0 K), ±127 °C, ±128 °C and 65535 rpm are the ends of a register, which a drive without a sensor or an input without a wire returns: no reading.',
    'A drive (`nvme`) below -60 °C is no reading either, because no drive works there.',
  ],
  open(hostFiles, clock, isSelected) {
    const chips = new Discovery(clock, () => findDeviceValues(hostFiles, isSelected));
    const poller = new DevicePoller(clock, () => chips.invalidate());
    return () => poller.poll(chips.current);
  },
};

function entry(
  key: string,
  unit: Unit,
  [min, max]: readonly [number, number],
  meaning: string,
  profile: 'default' | 'full' = 'full',
): CatalogueEntry {
  return { key, type: 'number', profile, unit, min, max, decimals: 3, meaning, source: SOURCE };
}

/** Key pattern of each channel type, and the number of kernel units in one unit of the key. */
const QUANTITIES: Readonly<Record<Channel['type'], { readonly key: string; readonly perUnit: number }>> = {
  temp: { key: 'hwmon*C', perUnit: 1000 },
  fan: { key: 'hwmon*Rpm', perUnit: 1 },
  in: { key: 'hwmon*V', perUnit: 1000 },
  curr: { key: 'hwmon*A', perUnit: 1000 },
  power: { key: 'hwmon*W', perUnit: 1_000_000 },
  humidity: { key: 'hwmon*HumidityPercent', perUnit: 1000 },
};

/**
 * A board with two fan controllers has about fifty. Each key permanently occupies an entry of the server's
 * key dictionary.
 */
const DEVICE_VALUES_MAX = 128;

function findDeviceValues(hostFiles: HostFiles, isSelected: KeyFilter): readonly DeviceValue[] {
  return filterUniqueKeys(
    findChips(hostFiles).flatMap((chip) => chip.channels.map((each) => deviceValueOf(hostFiles, chip, each))),
  )
    .filter(({ key }) => isSelected(key))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, DEVICE_VALUES_MAX);
}

function deviceValueOf(hostFiles: HostFiles, chip: Chip, channel: Channel): DeviceValue {
  const { perUnit } = QUANTITIES[channel.type];
  const path = `${chip.path}/${channel.file}`;
  return {
    device: chip.path,
    key: keyOf(chip, channel),
    async read() {
      if (
        channel.hasEnableFile &&
        (await readLine(hostFiles, `${chip.path}/${channel.name}_enable`)) === '0'
      ) {
        return undefined;
      }
      if (channel.hasFaultFile && (await readLine(hostFiles, `${chip.path}/${channel.name}_fault`)) === '1') {
        throw new FaultyChannelError(
          `${chip.name} reports a fault of its channel ${channel.label ?? channel.name}`,
        );
      }
      const value = parseInteger(await readLine(hostFiles, path), `/${path}`) / perUnit;
      return isReading(chip, channel, value) ? value : undefined;
    },
  };
}

/** False for what a chip answers that did not measure. */
function isReading({ driver }: Chip, { type }: Channel, value: number): boolean {
  switch (type) {
    case 'temp':
      return driver === 'nvme' ? isDriveTemperature(value) : isBoardTemperature(value);
    case 'fan':
      return isFanSpeed(value);
    default:
      return true;
  }
}

function keyOf(chip: Chip, channel: Channel): string {
  const isEnvironment = chip.channels.some(({ type }) => type === 'humidity');
  if (isEnvironment && channel.name === 'humidity1') return fillKey('hwmon*HumidityPercent', chip.part);
  if (isEnvironment && channel.name === 'temp1') return fillKey('hwmon*TemperatureC', chip.part);
  const label = channel.label ?? channel.name;
  return fillKey(QUANTITIES[channel.type].key, `${chip.part}${labelPart(label)}`);
}
