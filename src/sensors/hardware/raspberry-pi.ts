/**
 * Under-voltage, throttling, capped frequency and soft temperature limit, from the firmware of a Raspberry
 * Pi. The driver raspberrypi-hwmon (chip `rpi_volt`) polls the firmware every two seconds and clears its
 * memory; the files read here show the last result. Without the driver get_throttled would keep its value
 * from boot, so nothing is reported. "Occurred" therefore covers the time since the agent started.
 */

import { Discovery } from '../devices/discovery.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { invalidText, splitLines } from '../files/parse.ts';
import type { CatalogueEntry, Collector, KeyFilter } from '../runtime/collector.ts';

/** Bits of get_throttled: now, and since the previous poll by the driver. */
const CONDITIONS = [
  {
    name: 'piUnderVoltage',
    now: 1 << 0,
    before: 1 << 16,
    profile: 'default',
    meaning: 'supply voltage below 4.63 V, checked every 2 s',
  },
  {
    name: 'piFrequencyCapped',
    now: 1 << 1,
    before: 1 << 17,
    profile: 'full',
    meaning: 'CPU frequency capped by the firmware',
  },
  {
    name: 'piThrottled',
    now: 1 << 2,
    before: 1 << 18,
    profile: 'full',
    meaning: 'CPU throttled by the firmware',
  },
  {
    name: 'piSoftTemperatureLimit',
    now: 1 << 3,
    before: 1 << 19,
    profile: 'full',
    meaning: 'soft temperature limit reached',
  },
] as const;

const UNDER_VOLTAGE = 'piUnderVoltage';
const SOURCE = 'Raspberry Pi documentation, vcgencmd get_throttled; drivers/hwmon/raspberrypi-hwmon.c';

export const raspberryPi: Collector = {
  name: 'pi',
  catalogue: CONDITIONS.flatMap(({ name, profile, meaning }): readonly CatalogueEntry[] => [
    { key: name, type: 'flag', profile, meaning, source: SOURCE },
    {
      key: `${name}Occurred`,
      type: 'flag',
      profile: 'full',
      meaning: `${meaning}; at least once since the agent started`,
      source: SOURCE,
    },
  ]),
  open(hostFiles, clock, isSelected) {
    const files = new Discovery(clock, () => findFiles(hostFiles, isSelected));
    const occurred = new Set<string>();
    return () => {
      try {
        return readFlags(hostFiles, files.current, occurred);
      } catch (error) {
        files.invalidate();
        throw error;
      }
    };
  },
};

interface PiFiles {
  readonly alarm: string | undefined;
  readonly throttled: string | undefined;
}

function readFlags(
  hostFiles: HostFiles,
  { alarm, throttled }: PiFiles,
  occurred: Set<string>,
): Record<string, boolean> {
  const flags: Record<string, boolean> = {};
  if (throttled !== undefined) {
    const bits = parseHexadecimal(readFirstLine(hostFiles, throttled), throttled);
    for (const { name, now, before } of CONDITIONS) {
      flags[name] = (bits & now) !== 0;
      if ((bits & (now | before)) !== 0) occurred.add(name);
      flags[`${name}Occurred`] = occurred.has(name);
    }
  }
  if (alarm !== undefined) {
    const isLow = parseAlarm(readFirstLine(hostFiles, alarm), alarm);
    if (isLow) occurred.add(UNDER_VOLTAGE);
    flags[UNDER_VOLTAGE] = isLow;
    flags[`${UNDER_VOLTAGE}Occurred`] = occurred.has(UNDER_VOLTAGE);
  }
  return flags;
}

const CHIPS = 'sys/class/hwmon';
const DRIVER = 'sys/bus/platform/drivers/raspberrypi-firmware';

function findFiles(hostFiles: HostFiles, isSelected: KeyFilter): PiFiles {
  const chip = listOptional(hostFiles, CHIPS).find(
    (name) => readOptional(hostFiles, `${CHIPS}/${name}/name`) === 'rpi_volt',
  );
  if (chip === undefined) return { alarm: undefined, throttled: undefined };
  return { alarm: `${CHIPS}/${chip}/in0_lcrit_alarm`, throttled: findThrottled(hostFiles, isSelected) };
}

/**
 * Below the device of the firmware, whose name depends on the model: soc:firmware, soc@107c000000:firmware.
 * At the first read in a boot the kernel logs a backtrace (deprecated, without a replacement for three of the
 * four): the file is read only if one of its keys is selected, and never if a warning makes the kernel panic.
 */
function findThrottled(hostFiles: HostFiles, isSelected: KeyFilter): string | undefined {
  const needsFile = CONDITIONS.some(
    ({ name }) => name !== UNDER_VOLTAGE && (isSelected(name) || isSelected(`${name}Occurred`)),
  );
  if (!needsFile || readOptional(hostFiles, 'proc/sys/kernel/panic_on_warn') === '1') return undefined;
  const device = listOptional(hostFiles, DRIVER).find((name) =>
    hostFiles.has(`${DRIVER}/${name}/get_throttled`),
  );
  return device && `${DRIVER}/${device}/get_throttled`;
}

function readFirstLine(hostFiles: HostFiles, path: string): string {
  return splitLines(hostFiles.read(path), path)[0] ?? '';
}

/** Without 0x, as the driver prints it. */
function parseHexadecimal(text: string, path: string): number {
  if (!/^[0-9a-f]{1,8}$/.test(text)) throw invalidText(`/${path}`, text);
  return Number.parseInt(text, 16);
}

function parseAlarm(text: string, path: string): boolean {
  if (text !== '0' && text !== '1') throw invalidText(`/${path}`, text);
  return text === '1';
}
