/**
 * Wi-Fi: how strong and how good the signal of each wireless interface is. Only a kernel that still speaks the older wireless
 * interface has the file, which those of Debian and Raspberry Pi OS do; without it, and while not connected, the keys are absent.
 */

import { keyPart } from '../devices/keys.ts';
import { InvalidValueError } from '../files/errors.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import type { Collector, Measurements } from '../runtime/collector.ts';
import { INTERFACES_MAX } from './interfaces.ts';

const FILE = 'proc/net/wireless';
const SOURCE = 'net/wireless/wext-proc.c, /proc/net/wireless; include/uapi/linux/wireless.h';

export const wifi: Collector = {
  name: 'wifi',
  catalogue: [
    {
      key: 'net*SignalDbm',
      type: 'number',
      profile: 'default',
      unit: 'dBm',
      min: -120,
      max: -1,
      decimals: 0,
      meaning: 'Wi-Fi signal strength; above -60 is good, below -75 is poor; absent while not connected',
      source: SOURCE,
    },
    {
      key: 'net*LinkQuality',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 0,
      max: 255,
      decimals: 0,
      meaning: 'Wi-Fi link quality on the scale of the driver, which is 0 to 70 for most drivers',
      source: SOURCE,
    },
  ],
  open: (hostFiles) => () => {
    // Most hosts have none, and Node's error about it costs four times the question.
    if (!hostFiles.has(FILE)) return {};
    const all = readOptionalLines(hostFiles, FILE);
    if (all === undefined) return {};
    const [first, second, ...lines] = all;
    if (!first?.startsWith('Inter-') || !second?.includes('level')) {
      throw new InvalidValueError('/proc/net/wireless has no header line');
    }
    return Object.assign({}, ...lines.slice(0, INTERFACES_MAX).map(parseSignal));
  },
};

/** ` wlan0: 0000   54.  -56.  -256 …`: state, quality, level, noise; a dot says that the number is a fresh one. */
const LINE = /^\s*([^:\s]+):\s+[0-9a-f]{4}\s+(-?\d{1,3})\.?\s+(-?\d{1,3})\.?\s+-?\d{1,3}\.?(\s|$)/;

function parseSignal(line: string): Measurements {
  const match = LINE.exec(line);
  if (match === null) throw new InvalidValueError('/proc/net/wireless has a line of unknown format');
  const [, name = '', quality, level] = match;
  const dbm = Number(level);
  // A level that is not negative is no dBm but a share of something only the driver knows; -256 is none at all.
  if (dbm === -256) return {};
  const part = keyPart(name);
  return { [`net${part}SignalDbm`]: dbm < 0 ? dbm : undefined, [`net${part}LinkQuality`]: Number(quality) };
}
