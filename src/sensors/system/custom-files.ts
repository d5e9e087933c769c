/**
 * An operator's files as sensors: the first number on the first line of each, such as a driver's attribute below /sys. Digits that are
 * part of something else (`21,5`, a date, an address, `pump2`) are no number: half of one would be believed.
 *
 * They are read carefully (regular-file.ts), by the thread pool (slow-reads.ts: they may be on a mount that is dead) and under the
 * guard's deadline.
 */

import type { FileSensor } from '../../core/model/custom-sensor.ts';
import { NonsenseError } from '../files/errors.ts';
import type { Collector, NumberEntry } from '../runtime/collector.ts';

const NUMBER_MAX = 1e15;
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?/i;

export function fileCollectors(files: readonly FileSensor[]): readonly Collector[] {
  return files.map((file) => ({
    name: file.name,
    catalogue: [entryOf(file)],
    everyMs: file.everyMs,
    open: (tree) => async () => {
      const text = await tree.line(file.path);
      return { [file.name]: numberIn(text, file.path) * file.scale + file.offset };
    },
  }));
}

function entryOf({ name, path }: FileSensor): NumberEntry {
  return {
    key: name,
    type: 'number',
    profile: 'minimal',
    unit: '',
    min: -NUMBER_MAX,
    max: NUMBER_MAX,
    decimals: 6,
    meaning: `the number in ${path}`,
    source: 'the configuration',
  };
}

/** What makes digits a part of something else: a name, a date, an address, a number with a decimal comma or groups. */
const BEFORE = /[A-Za-z_]$/;
const AFTER = /^[.,:/_-]\d/;

/** What a person reads as a number is refused with its remedy; short, as a reason is cut at 200 characters. */
const REMEDY = '(it must stand by itself, and have a decimal point)';

function numberIn(line: string, path: string): number {
  const found = NUMBER.exec(line);
  const digits = found?.[0] ?? '';
  const at = found?.index ?? 0;
  const isPart = BEFORE.test(line.slice(0, at)) || AFTER.test(line.slice(at + digits.length));
  if (digits === '' || isPart || /0x/i.test(line)) {
    const seen = `the first line of ${path} has no number: ${JSON.stringify(line.slice(0, 24))}`;
    throw new NonsenseError(isPart ? `${seen} ${REMEDY}` : seen);
  }
  return Number(digits);
}
