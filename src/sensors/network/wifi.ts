/**
 * Signal and link quality of each Wi-Fi interface. The file exists only if the kernel still has the older
 * wireless interface, as the kernels of Debian and Raspberry Pi OS do.
 */

import { keyPart } from '../devices/keys.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import { InvalidValueError } from '../files/parse.ts';
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
    // Most hosts lack the file, and the exception of a failed read takes four times as long as this check.
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

/** ` wlan0: 0000   54.  -56.  -256 …`: state, quality, level, noise; a dot marks an updated number. */
const LINE = /^\s*([^:\s]+):\s+[0-9a-f]{4}\s+(-?\d{1,3})\.?\s+(-?\d{1,3})\.?\s+-?\d{1,3}\.?(\s|$)/;

function parseSignal(line: string): Measurements {
  const match = LINE.exec(line);
  if (match === null) throw new InvalidValueError('/proc/net/wireless has a line of unknown format');
  const [, name = '', quality, level] = match;
  const dbm = Number(level);
  // A level of 0 or more is not in dBm but relative to a maximum of the driver; -256 means no level.
  if (dbm === -256) return {};
  const part = keyPart(name);
  return { [`net${part}SignalDbm`]: dbm < 0 ? dbm : undefined, [`net${part}LinkQuality`]: Number(quality) };
}
