/**
 * `firstlight sample --explain KEY`, in words: where the value comes from, or what this host would have to have for it.
 *
 * Pure, from what sensors/explain.ts found out. Of a key nobody knows: the nearest one.
 */

import { suggest } from '../../config/errors/suggest.ts';
import type { Value } from '../../core/model/reading.ts';
import type { Explanation } from '../../sensors/explain/explain.ts';
import type { TracedQuery } from '../../sensors/explain/trace.ts';
import type { Collector } from '../../sensors/runtime/collector.ts';
import { cutTo } from '../ui/columns.ts';
import { formatValue, sanitise } from '../ui/format.ts';

const LABEL = 12;
/** Of one file. */
const LINES_MAX = 20;
/** Of what was asked for in vain. */
const ATTEMPTS_MAX = 24;
const NAMES_MAX = 6;
const TEXT_CHARACTERS_MAX = 160;

/** What the configured agent makes of a value. */
export interface Transmission {
  /** Of an own sensor, which the catalogue does not have. */
  readonly unit?: string | undefined;
  readonly isSent: boolean;
  /** Its name and its value on the wire; absent when there is no value. */
  readonly sent: readonly [name: string, value: Value] | undefined;
}

export function explanationLines(explanation: Explanation, transmission: Transmission): readonly string[] {
  return [
    ...headLines(explanation, transmission),
    ...field('meaning', explanation.entry.meaning),
    ...field('sensor', explanation.sensor),
    ...field('profile', explanation.entry.profile),
    ...field('accepted', acceptedRange(explanation)),
    ...field('defined in', explanation.entry.source),
    ...(explanation.value === undefined ? absentLines(explanation) : originLines(explanation)),
  ];
}

/** `known`: the keys of this host and of the catalogue. */
export function unknownKeyLines(
  key: string,
  collectors: readonly Collector[],
  availableKeys: readonly string[],
): readonly string[] {
  const known = [
    ...availableKeys,
    ...collectors.flatMap(({ catalogue }) => catalogue.map((entry) => entry.key)),
  ];
  const nearestKey = suggest(key, known);
  const hint = nearestKey === undefined ? '' : ` Did you mean ${nearestKey}?`;
  return [
    `No sensor has a key ${sanitise(key)}.${hint}`,
    'Run firstlight sample --all to list every key of this host.',
  ];
}

function headLines(
  { key, entry, value, siblings }: Explanation,
  { isSent, sent, unit: own = '' }: Transmission,
): readonly string[] {
  if (value === undefined) {
    const others = siblings.length === 0 ? '' : ` It provides ${siblings.slice(0, NAMES_MAX).join(', ')}.`;
    return [`${sanitise(key)} is a key of Firstlight, but this host does not provide it.${others}`];
  }
  const unit = (entry.type === 'number' ? entry.unit : '') || own;
  const rawText = `${sanitise(String(value))} ${unit}`.trim();
  const formatted = formatValue(value, unit).join(' ').trim();
  return [
    `${key} = ${rawText}${formatted === rawText ? '' : ` (${formatted})`}`,
    ...sentLines({ key, value }, sent),
    ...(isSent
      ? []
      : ['The agent with these settings does not send it: not in the configured profile, or disabled.']),
  ];
}

function sentLines(
  { key, value }: { readonly key: string; readonly value: Value },
  sent: Transmission['sent'],
): readonly string[] {
  if (sent === undefined || (sent[0] === key && sent[1] === value)) return [];
  return [`The configuration changes it to: ${sanitise(sent[0])} = ${sanitise(String(sent[1]))}`];
}

function acceptedRange({ entry }: Explanation): string {
  switch (entry.type) {
    case 'number': {
      const unit = entry.unit === '' ? '' : ` ${entry.unit}`;
      const decimals = entry.decimals === 1 ? '1 decimal' : `${entry.decimals} decimals`;
      return `${entry.min} to ${entry.max}${unit}, ${decimals}`;
    }
    case 'flag':
      return 'true or false';
    case 'text':
      return `text of at most ${entry.charactersMax} characters`;
  }
}

function originLines({ raw, value, valueOrigins: origins }: Explanation): readonly string[] {
  const lines = origins.flatMap(({ path, lines }) => [
    ...field('read from', `/${path.replace(/^\//, '')}`),
    ...lines.slice(0, LINES_MAX).map((line) => `${' '.repeat(LABEL + 2)}${quoted(line)}`),
    ...(lines.length > LINES_MAX
      ? [`${' '.repeat(LABEL + 2)}and ${lines.length - LINES_MAX} more lines`]
      : []),
  ]);
  return [...lines, ...(raw !== value && raw !== undefined ? field('raw value', String(raw)) : [])];
}

function absentLines({ queries: attempts, failureReason: problem }: Explanation): readonly string[] {
  const why = problem === undefined ? [] : field('error', sanitise(problem));
  if (attempts.length === 0) {
    return [
      ...why,
      'Its sensor reads no file: only the running agent, or a program that it runs, has this value.',
    ];
  }
  const formatted = attempts
    .slice(0, ATTEMPTS_MAX)
    .map((each) => field('looked for', `/${each.path.replace(/^\//, '')}: ${describeAttempt(each)}`));
  const more = attempts.length - formatted.length;
  return [
    ...why,
    ...formatted.flat(),
    ...(more > 0 ? [`and ${more} more`] : []),
    'The sensor needs one of these files with a valid value; the document above describes when the kernel provides it.',
  ];
}

function describeAttempt({ result: answer }: TracedQuery): string {
  switch (answer.type) {
    case 'text':
      return quoted(answer.text.split('\n', 1)[0] ?? '');
    case 'names': {
      const more = answer.names.length - NAMES_MAX;
      if (answer.names.length === 0) return 'an empty directory';
      const names = answer.names.slice(0, NAMES_MAX).map(sanitise).join(' ');
      return more > 0 ? `${names} and ${more} more` : names;
    }
    case 'existence':
      return answer.exists ? 'exists' : 'does not exist';
    case 'usage':
      return 'available';
    case 'error': {
      const { code = '', message = '' } = answer.error as { code?: string; message?: string };
      return code === 'ENOENT' ? 'does not exist' : sanitise(code || message);
    }
  }
}

function quoted(text: string): string {
  return cutTo(sanitise(text.trimEnd()), TEXT_CHARACTERS_MAX);
}

function field(label: string, text: string): readonly string[] {
  return [`${label.padEnd(LABEL)}${text}`];
}
