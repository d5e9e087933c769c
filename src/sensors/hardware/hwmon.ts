/**
 * The monitoring chips of the kernel's hwmon class: temperatures, fans, voltages, currents, power and humidity of boards, drives,
 * fan controllers and power monitors.
 *
 * Keys are made of the chip's label or name and the channel's label, `hwmonNvmeCompositeC`; a channel without a label is known
 * by its name in the driver, `hwmonNct6775Fan1Rpm`, which is a pin of the chip. Left out is what another collector reports:
 * the CPU's temperature, thermal zones, batteries, IIO channels and 1-Wire thermometers, all of which the kernel shows here once
 * more. A channel that is switched off (`_enable`) is absent; one whose chip says it is broken (`_fault`) is absent and told, alone:
 * boards have inputs to which nothing is wired.
 *
 * All of it is read through the thread pool. Many of these chips hang on I2C, or are drives that answer when they please, and the
 * rest cost 20 µs a value only where an operator has asked for them: one rule instead of a list of drivers to keep true.
 */

import { Discovery } from '../devices/discovery.ts';
import { fillKey, filterUniqueKeys, labelPart } from '../devices/keys.ts';
import { DevicePoller, type DeviceValue, FaultyChannelError, readLine } from '../devices/poll-devices.ts';
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

/** What the kernel counts in, of one of ours, and the pattern of the key. */
const QUANTITIES: Readonly<Record<Channel['type'], { readonly key: string; readonly perUnit: number }>> = {
  temp: { key: 'hwmon*C', perUnit: 1000 },
  fan: { key: 'hwmon*Rpm', perUnit: 1 },
  in: { key: 'hwmon*V', perUnit: 1000 },
  curr: { key: 'hwmon*A', perUnit: 1000 },
  power: { key: 'hwmon*W', perUnit: 1_000_000 },
  humidity: { key: 'hwmon*HumidityPercent', perUnit: 1000 },
};

/** Keys cost the server a dictionary entry each, for ever; a board with two fan controllers has about fifty. */
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
      return parseInteger(await readLine(hostFiles, path), `/${path}`) / perUnit;
    },
  };
}

function keyOf(chip: Chip, channel: Channel): string {
  const isEnvironment = chip.channels.some(({ type }) => type === 'humidity');
  if (isEnvironment && channel.name === 'humidity1') return fillKey('hwmon*HumidityPercent', chip.part);
  if (isEnvironment && channel.name === 'temp1') return fillKey('hwmon*TemperatureC', chip.part);
  const label = channel.label === undefined ? channel.name : channel.label;
  return fillKey(QUANTITIES[channel.type].key, `${chip.part}${labelPart(label)}`);
}
