/**
 * The telemetry keys of the gateway dashboard by subject. The keys of a new sensor appear by themselves: in the group of its
 * collector, or in "Other".
 */

import type { SensorKeys } from '../sources.ts';

/** The collectors of each group, in order. */
const GROUPS: readonly (readonly [title: string, collectors: readonly string[]])[] = [
  ['CPU', ['cpu', 'load', 'frequency', 'temperature', 'throttle']],
  ['Memory', ['memory', 'pressure', 'oom']],
  ['Storage', ['filesystem', 'mounts', 'drives', 'flash']],
  ['Network', ['network', 'wifi', 'route', 'addresses']],
  ['Hardware', ['pi', 'thermal', 'hwmon', 'iio', 'onewire', 'supply', 'rtc', 'watchdog']],
  ['System', ['uptime', 'clock', 'processes', 'handles', 'services', 'containers', 'agent']],
];

/**
 * Names that a `*` usually stands for: ThingsBoard cannot show a key that a dashboard does not name. Other names, such as
 * those of chips, are left to the operator.
 */
const USUAL_NAMES: Readonly<Record<string, readonly string[]>> = {
  'cpu*': ['0', '1', '2', '3'],
  'net*': ['Eth0', 'End0', 'Wlan0', 'Wwan0'],
  'drive*': ['Mmcblk0', 'Mmcblk1', 'Nvme0n1', 'Sda'],
  'disk*': ['Boot', 'BootFirmware'],
};

export interface KeyGroup {
  readonly title: string;
  readonly keys: readonly string[];
}

export function keyGroups(sensors: readonly SensorKeys[]): readonly KeyGroup[] {
  const known = new Set(GROUPS.flatMap(([, collectors]) => collectors));
  const others = sensors.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  return [...GROUPS, ['Other', others] as const]
    .map(([title, collectors]) => ({
      title,
      keys: collectors.flatMap((name) => keysOf(sensors.find((sensor) => sensor.name === name))),
    }))
    .filter(({ keys }) => keys.length > 0);
}

/** The keys that an asset can name. */
function keysOf(sensor: SensorKeys | undefined): readonly string[] {
  return (sensor?.catalogue ?? []).flatMap(({ key }) => instancesOf(key));
}

/** `net*Up` as netEth0Up, netEnd0Up …; a key without `*` as it is. */
export function instancesOf(key: string): readonly string[] {
  const [before, after] = key.split('*');
  if (after === undefined) return [key];
  return (USUAL_NAMES[`${before}*`] ?? []).map((name) => `${before}${name}${after}`);
}
