/**
 * Backup battery of the real-time clock, if a driver reports its voltage, as on the Raspberry Pi 5. With an
 * empty battery a gateway starts with a wrong year. Read through the thread pool: the firmware can take up to
 * one second.
 */

import { Discovery } from '../devices/discovery.ts';
import { DevicePoller, type DeviceValue, readLine } from '../devices/poll-devices.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { CatalogueEntry, Collector, KeyFilter } from '../runtime/collector.ts';

export const rtc: Collector = {
  name: 'rtc',
  catalogue: [
    entry('rtcBatteryVoltageV', 'voltage of the backup battery of the real-time clock'),
    entry('rtcChargingVoltageV', 'charging voltage of the backup battery; 0 if it is not charged'),
  ],
  open(hostFiles, clock, isSelected) {
    const clocks = new Discovery(clock, () => findDeviceValues(hostFiles, isSelected));
    const poller = new DevicePoller(clock, () => clocks.invalidate());
    return () => poller.poll(clocks.current);
  },
};

const FOLDER = 'sys/class/rtc';
const FILES = [
  { key: 'rtcBatteryVoltageV', file: 'battery_voltage' },
  { key: 'rtcChargingVoltageV', file: 'charging_voltage' },
];
const MICROVOLTS_PER_VOLT = 1_000_000;

/** The clock with a battery voltage; only one driver reports any, so there are never two. */
function findDeviceValues(hostFiles: HostFiles, isSelected: KeyFilter): readonly DeviceValue[] {
  const paths = listOptional(hostFiles, FOLDER).map((name) => `${FOLDER}/${name}`);
  const path = paths.find((each) => hostFiles.has(`${each}/battery_voltage`));
  if (path === undefined) return [];
  return FILES.filter(({ key, file }) => isSelected(key) && hostFiles.has(`${path}/${file}`)).map(
    ({ key, file }) => ({
      device: path,
      key,
      read: async () =>
        parseNatural(await readLine(hostFiles, `${path}/${file}`), `/${path}/${file}`) / MICROVOLTS_PER_VOLT,
    }),
  );
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
