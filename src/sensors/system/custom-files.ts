/**
 * Custom sensors that read a file: the first number on its first line. Digits that are part of other text
 * (`21,5`, a date, an address, `pump2`) are not a number, because half of one would look valid. Only regular
 * files are read, by the thread pool (blocking-reads.ts), because they can be on a hung mount.
 */

import type { FileSensor } from '../../core/model/custom-sensor.ts';
import { InvalidValueError } from '../files/parse.ts';
import type { Collector, NumberEntry } from '../runtime/collector.ts';

const NUMBER_MAX = 1e15;
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?/i;

export function fileCollectors(files: readonly FileSensor[]): readonly Collector[] {
  return files.map((file) => ({
    name: file.name,
    catalogue: [entryOf(file)],
    everyMs: file.everyMs,
    open: (hostFiles) => async () => {
      const text = await hostFiles.firstLine(file.path);
      return { [file.name]: parseNumber(text, file.path) * file.scale + file.offset };
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
    meaning: `number in the first line of ${path}`,
    source: 'the configuration',
  };
}

/**
 * Digits next to these are part of a name, a date, an address, or a number with a decimal comma or groups.
 */
const BEFORE = /[A-Za-z_]$/;
const AFTER = /^[.,:/_-]\d/;

/** For text that a person reads as a number; short, because a logged reason is cut at 200 characters. */
const REMEDY = '(separate the number by spaces, and use a decimal point)';

function parseNumber(line: string, path: string): number {
  const match = NUMBER.exec(line);
  const digits = match?.[0] ?? '';
  const at = match?.index ?? 0;
  const isPartOfText = BEFORE.test(line.slice(0, at)) || AFTER.test(line.slice(at + digits.length));
  if (digits === '' || isPartOfText || /0x/i.test(line)) {
    const message = `the first line of ${path} has no number: ${JSON.stringify(line.slice(0, 24))}`;
    throw new InvalidValueError(isPartOfText ? `${message} ${REMEDY}` : message);
  }
  return Number(digits);
}
