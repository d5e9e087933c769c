/**
 * Temperatures of the thermal zones other than the CPU's, by the type of the zone: the board, the GPU, a charger, a WLAN chip.
 *
 * The type is the driver's or the device tree's name for the zone and stays; the zone's number does not. Two zones of one type
 * are told apart by the ACPI device they belong to; where there is none, as with several packages of one type, neither is
 * reported. Which zone is the CPU's, temperature.ts says. Read through the thread pool, since a zone may be a chip on I2C or firmware
 * of the board that takes its time.
 */

import { addressOf } from '../devices/address.ts';
import { Discovery } from '../devices/discovery.ts';
import { fillKey, tellApart } from '../devices/keys.ts';
import { labelIn, wayTo } from '../devices/labels.ts';
import { askLine, DeviceRounds, type Probe } from '../devices/poll-devices.ts';
import type { Tree } from '../files/host-files.ts';
import { integer } from '../files/parse.ts';
import type { Collector, Wants } from '../runtime/collector.ts';
import { cpuZoneOf, numbered } from './temperature.ts';

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
      meaning: 'temperature of a thermal zone, by its type',
      source: 'Documentation/ABI/testing/sysfs-class-thermal',
    },
  ],
  open(tree, clock, wants) {
    const zones = new Discovery(clock, () => probesOf(tree, wants));
    const rounds = new DeviceRounds(clock, () => zones.forget());
    return () => rounds.of(zones.found);
  },
};

const FOLDER = 'sys/class/thermal';
const PROBES_MAX = 32;

interface Zone {
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly address: string;
}

function probesOf(tree: Tree, wants: Wants): readonly Probe[] {
  const zones = numbered(tree, FOLDER, 'thermal_zone').flatMap(
    (zone) => zoneAt(tree, `${FOLDER}/${zone}`) ?? [],
  );
  const ofCpu = cpuZoneOf(zones);
  return tellApart(zones.filter((zone) => zone !== ofCpu))
    .map(
      ({ part, of: { path } }): Probe => ({
        device: path,
        key: fillKey(KEY, part),
        read: async () => integer(await askLine(tree, `${path}/temp`), `/${path}/temp`) / 1000,
      }),
    )
    .filter(({ key }) => wants(key))
    .slice(0, PROBES_MAX);
}

function zoneAt(tree: Tree, path: string): Zone | undefined {
  const type = labelIn(tree, `${path}/type`);
  return type === undefined
    ? undefined
    : { path, type, name: type, address: addressOf(wayTo(tree, `${path}/device`)) };
}
