/**
 * The output of `firstlight sample --explain KEY`: the source of a value, or the files that this host lacks for it. For an unknown
 * key: the nearest known one. Pure; the data comes from sensors/explain/explain.ts.
 */

import { nearestWord } from '../../config/errors/nearest-word.ts';
import type { Value } from '../../core/model/reading.ts';
import type { Explanation } from '../../sensors/explain/explain.ts';
import type { TracedQuery } from '../../sensors/explain/trace.ts';
import type { CatalogueEntry, Collector } from '../../sensors/runtime/collector.ts';
import { formatValue, sanitise } from '../ui/format.ts';
import { cutTo } from '../ui/style.ts';

const LABEL = 12;
/** Lines shown of one file. */
const LINES_MAX = 20;
/** Paths shown that the sensor looked for. */
const QUERIES_MAX = 24;
const NAMES_MAX = 6;
const TEXT_CHARACTERS_MAX = 160;

/** How the configured agent sends a value. */
export interface Transmission {
  /** Unit of a custom sensor, which is not in the catalogue. */
  readonly unit?: string | undefined;
  readonly isSent: boolean;
  /** Name and value as sent; undefined if there is no value. */
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
    ...explanation.notes.flatMap((note) => field('note', note)),
    ...(explanation.value === undefined ? absentLines(explanation) : originLines(explanation)),
  ];
}

/** For a key of which another root has no file. */
export function liveKeyLine(name: string, { source }: CatalogueEntry): string {
  return `${sanitise(name)} is known to the running host only (${source}), so another root does not have it.`;
}

export function unknownKeyLines(
  key: string,
  collectors: readonly Collector[],
  availableKeys: readonly string[],
): readonly string[] {
  const knownKeys = [
    ...availableKeys,
    ...collectors.flatMap(({ catalogue }) => catalogue.map((entry) => entry.key)),
  ];
  const nearestKey = nearestWord(key, knownKeys);
  const hint = nearestKey === undefined ? '' : ` Did you mean ${nearestKey}?`;
  return [
    `No sensor has a key ${sanitise(key)}.${hint}`,
    'Run firstlight sample --all to list every key of this host.',
  ];
}

function headLines(
  { key, entry, value, siblings }: Explanation,
  { isSent, sent, unit: customUnit = '' }: Transmission,
): readonly string[] {
  if (value === undefined) {
    const others = siblings.length === 0 ? '' : ` It provides ${siblings.slice(0, NAMES_MAX).join(', ')}.`;
    return [`${sanitise(key)} is a key of Firstlight, but this host does not provide it.${others}`];
  }
  const unit = (entry.type === 'number' ? entry.unit : '') || customUnit;
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

function originLines({ raw, value, valueOrigins }: Explanation): readonly string[] {
  const lines = valueOrigins.flatMap(({ path, lines }) => [
    ...field('read from', `/${path.replace(/^\//, '')}`),
    ...lines.slice(0, LINES_MAX).map((line) => `${' '.repeat(LABEL + 2)}${quoted(line)}`),
    ...(lines.length > LINES_MAX
      ? [`${' '.repeat(LABEL + 2)}and ${lines.length - LINES_MAX} more lines`]
      : []),
  ]);
  return [...lines, ...(raw !== value && raw !== undefined ? field('raw value', String(raw)) : [])];
}

function absentLines({ queries, failureReason }: Explanation): readonly string[] {
  const errorLines = failureReason === undefined ? [] : field('error', sanitise(failureReason));
  if (queries.length === 0) {
    return [
      ...errorLines,
      'Its sensor reads no file: only the running agent, or a program that it runs, has this value.',
    ];
  }
  const queryLines = queries
    .slice(0, QUERIES_MAX)
    .map((each) => field('looked for', `/${each.path.replace(/^\//, '')}: ${describeQuery(each)}`));
  const more = queries.length - queryLines.length;
  return [
    ...errorLines,
    ...queryLines.flat(),
    ...(more > 0 ? [`and ${more} more`] : []),
    'The sensor needs one of these files with a valid value; the document above describes when the kernel provides it.',
  ];
}

function describeQuery({ result }: TracedQuery): string {
  switch (result.type) {
    case 'text':
      return quoted(result.text.split('\n', 1)[0] ?? '');
    case 'names': {
      const more = result.names.length - NAMES_MAX;
      if (result.names.length === 0) return 'an empty directory';
      const names = result.names.slice(0, NAMES_MAX).map(sanitise).join(' ');
      return more > 0 ? `${names} and ${more} more` : names;
    }
    case 'existence':
      return result.exists ? 'exists' : 'does not exist';
    case 'usage':
      return 'available';
    case 'error': {
      const { code = '', message = '' } = result.error as { code?: string; message?: string };
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
