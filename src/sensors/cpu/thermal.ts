/**
 * Temperatures of the thermal zones other than the CPU's, by the type of the zone without the numbers that a
 * driver counts up (labels.ts); the number of the zone is not stable. Two zones of one type are told apart by their ACPI device; without one, as with several CPU
 * packages, neither is reported. Read through the thread pool, because a zone can be a chip on I2C or slow
 * firmware of the board.
 */

import { addressOf } from '../devices/address.ts';
import { Discovery } from '../devices/discovery.ts';
import { assignKeyParts, fillKey } from '../devices/keys.ts';
import { readLabel, readLinkTarget, stableDriverName } from '../devices/labels.ts';
import { DevicePoller, type DeviceValue, readLine } from '../devices/poll-devices.ts';
import { isBoardTemperature } from '../devices/register-limits.ts';
import type { HostFiles } from '../files/host-files.ts';
import { parseInteger } from '../files/parse.ts';
import type { Collector, KeyFilter } from '../runtime/collector.ts';
import { cpuZoneOf, listNumbered } from './cpu-sources.ts';

const KEY = 'thermal*C';

export const thermal: Collector = {
  name: 'thermal',
  catalogue: [
    {
      key: KEY,
      type: 'number',
      profile: 'full',
      unit: '°C',
      min: -100,
      max: 300,
      decimals: 1,
      meaning: 'temperature of the thermal zone of that type',
      source: 'Documentation/ABI/testing/sysfs-class-thermal',
    },
  ],
  notes: [
    'Zones of one type that the driver only numbers as it loads, such as two Intel Wi-Fi cards, are left out, because nothing tells them apart after a restart.',
    '-273.15 °C (0 K), ±127 °C and ±128 °C are the ends of a register, which a zone without a sensor returns: no reading.',
  ],
  open(hostFiles, clock, isSelected) {
    const zones = new Discovery(clock, () => findDeviceValues(hostFiles, isSelected));
    const poller = new DevicePoller(clock, () => zones.invalidate());
    return () => poller.poll(zones.current);
  },
};

const FOLDER = 'sys/class/thermal';
const DEVICE_VALUES_MAX = 32;

interface Zone {
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly address: string;
}

function findDeviceValues(hostFiles: HostFiles, isSelected: KeyFilter): readonly DeviceValue[] {
  const zones = listNumbered(hostFiles, FOLDER, 'thermal_zone').flatMap(
    (zone) => readZone(hostFiles, `${FOLDER}/${zone}`) ?? [],
  );
  const cpuZone = cpuZoneOf(zones);
  return assignKeyParts(zones.filter((zone) => zone !== cpuZone))
    .map(
      ({ part, item: { path } }): DeviceValue => ({
        device: path,
        key: fillKey(KEY, part),
        async read() {
          const celsius = parseInteger(await readLine(hostFiles, `${path}/temp`), `/${path}/temp`) / 1000;
          return isBoardTemperature(celsius) ? celsius : undefined;
        },
      }),
    )
    .filter(({ key }) => isSelected(key))
    .slice(0, DEVICE_VALUES_MAX);
}

function readZone(hostFiles: HostFiles, path: string): Zone | undefined {
  const type = readLabel(hostFiles, `${path}/type`);
  return type === undefined
    ? undefined
    : {
        path,
        type,
        name: stableDriverName(type),
        address: addressOf(readLinkTarget(hostFiles, `${path}/device`)),
      };
}
