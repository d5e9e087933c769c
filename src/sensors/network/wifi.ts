/**
 * Signal and link quality of each Wi-Fi interface. The file exists only if the kernel still has the older
 * wireless interface, as the kernels of Debian and Raspberry Pi OS do. A line of another format costs only its
 * interface.
 */

import { keyPart } from '../devices/keys.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import { InvalidValueError } from '../files/parse.ts';
import type { Collector, Measurements } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';
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
  notes: ['A level of 0 or more is not in dBm but on a scale of the driver: no signal strength.'],
  open: (hostFiles) => () => {
    // Most hosts lack the file, and the exception of a failed read takes four times as long as this check.
    if (!hostFiles.has(FILE)) return {};
    const all = readOptionalLines(hostFiles, FILE);
    if (all === undefined) return {};
    const lines = all.filter((line) => !line.includes('|'));
    if (!all.some((line) => line.includes('| link level')))
      throw new InvalidValueError('/proc/net/wireless has no header line');
    const read = new PartialRead();
    for (const line of lines.slice(0, INTERFACES_MAX)) {
      const name = NAME.exec(line)?.[1];
      read.attempt(name ?? 'line', () => parseSignal(line, name, lines));
    }
    return read.result();
  },
};

const NAME = /^\s*([^:%\s]{1,15}):/;
/** `0000   54.  -56.  -256 …`: state, quality, level, noise; a dot marks an updated number. */
const SIGNAL = /:\s+[0-9a-f]{4}\s+(-?\d{1,3})\.?\s+(-?\d{1,3})\.?\s+-?\d{1,3}\.?(\s|$)/;

function parseSignal(line: string, name: string | undefined, lines: readonly string[]): Measurements {
  const match = SIGNAL.exec(line);
  if (name === undefined || match === null)
    throw new InvalidValueError('/proc/net/wireless has a line of unknown format');
  if (lines.filter((each) => each.trimStart().startsWith(`${name}:`)).length > 1)
    throw new InvalidValueError(`/proc/net/wireless has several lines "${name}"`);
  const [, quality, level] = match;
  const dbm = Number(level);
  // A level of 0 or more is not in dBm but relative to a maximum of the driver; -256 means no level.
  if (dbm === -256) return {};
  const part = keyPart(name);
  return { [`net${part}SignalDbm`]: dbm < 0 ? dbm : undefined, [`net${part}LinkQuality`]: Number(quality) };
}
