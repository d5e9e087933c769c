/**
 * What a Raspberry Pi's firmware holds against its power supply and its cooling: under-voltage, throttling, a capped frequency, the
 * soft temperature limit.
 *
 * The driver raspberrypi-hwmon (chip `rpi_volt`) asks the firmware every two seconds and makes it forget what has been; both
 * files read here show what it heard last, so they cost no question to the firmware and are read synchronously. Without that
 * driver `get_throttled` would stand still at what it was at boot: then nothing is reported. "Occurred" is therefore what this
 * agent has seen since it started, not all there was since boot: the firmware's memory is emptied under our eyes, and what
 * came and went between two readings shows only if it was within two seconds of one. `vcgencmd` would have to be spawned.
 *
 * The kernel complains once per boot, with a backtrace, that get_throttled is to be replaced, by something that does not exist
 * yet for three of the four: so what only get_throttled knows is in the profile `full` alone, and the file is touched only when
 * something of it is wanted. Where such a complaint is set to stop the machine (panic_on_warn), the file is not touched.
 */

import { Discovery } from '../devices/discovery.ts';
import { invalidText } from '../files/errors.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { splitLines } from '../files/parse.ts';
import type { CatalogueEntry, Collector, KeyFilter } from '../runtime/collector.ts';

/** Bits of get_throttled: now, and since it was asked before. */
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
const DOCUMENT = 'Raspberry Pi documentation, vcgencmd get_throttled; drivers/hwmon/raspberrypi-hwmon.c';

export const raspberryPi: Collector = {
  name: 'pi',
  catalogue: CONDITIONS.flatMap(({ name, profile, meaning }): readonly CatalogueEntry[] => [
    { key: name, type: 'flag', profile, meaning, source: DOCUMENT },
    {
      key: `${name}Occurred`,
      type: 'flag',
      profile: 'full',
      meaning: `${meaning}; at least once since the agent started`,
      source: DOCUMENT,
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

/** Below the firmware's device, whose name differs from model to model: soc:firmware, soc@107c000000:firmware. */
function findThrottled(hostFiles: HostFiles, isSelected: KeyFilter): string | undefined {
  const needsFile = CONDITIONS.some(
    ({ name }) =>
      (name !== UNDER_VOLTAGE && isSelected(name)) ||
      (name !== UNDER_VOLTAGE && isSelected(`${name}Occurred`)),
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
