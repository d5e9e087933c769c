/**
 * The cell that keeps the real-time clock running while the power is off, where a driver shows its voltage: that of the Raspberry
 * Pi 5 does. A cell at its end means a gateway that wakes up in the wrong year.
 *
 * Read through the thread pool: the firmware is asked, which may take up to a second.
 */

import { Discovery } from '../devices/discovery.ts';
import { askLine, DeviceRounds, type Probe } from '../devices/poll-devices.ts';
import type { Tree } from '../files/host-files.ts';
import { listIfThere } from '../files/optional-files.ts';
import { natural } from '../files/parse.ts';
import type { CatalogueEntry, Collector, Wants } from '../runtime/collector.ts';

export const rtc: Collector = {
  name: 'rtc',
  catalogue: [
    entry('rtcBatteryVoltageV', "voltage of the real-time clock's cell"),
    entry('rtcChargingVoltageV', 'voltage the cell is charged with; 0: it is not charged'),
  ],
  open(tree, clock, wants) {
    const clocks = new Discovery(clock, () => probesOf(tree, wants));
    const rounds = new DeviceRounds(clock, () => clocks.forget());
    return () => rounds.of(clocks.found);
  },
};

const FOLDER = 'sys/class/rtc';
const FILES = [
  { key: 'rtcBatteryVoltageV', file: 'battery_voltage' },
  { key: 'rtcChargingVoltageV', file: 'charging_voltage' },
];
const MICROVOLTS_PER_VOLT = 1_000_000;

/** Of several clocks the one that has a cell; no driver but one shows any, so there are never two. */
function probesOf(tree: Tree, wants: Wants): readonly Probe[] {
  const paths = listIfThere(tree, FOLDER).map((name) => `${FOLDER}/${name}`);
  const path = paths.find((each) => tree.has(`${each}/battery_voltage`));
  if (path === undefined) return [];
  return FILES.filter(({ key, file }) => wants(key) && tree.has(`${path}/${file}`)).map(({ key, file }) => ({
    device: path,
    key,
    read: async () =>
      natural(await askLine(tree, `${path}/${file}`), `/${path}/${file}`) / MICROVOLTS_PER_VOLT,
  }));
}

function entry(key: string, meaning: string): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile: 'full',
    unit: 'V',
    min: 0,
    max: 10,
    decimals: 3,
    meaning,
    source: 'raspberrypi/linux drivers/rtc/rtc-rpi.c',
  };
}
