/**
 * Renders a log entry as one line: text or JSON, with a priority for systemd or with a time.
 *
 * No line contains a line break or another control character, so nobody can forge a line or move a cursor. A
 * line has at most 8 KiB; a longer one is cut and marked. Every text is redacted before it is escaped or cut.
 * Never throws.
 */

import type { Redaction } from './redaction.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: Level;
  readonly message: string;
  /** Unix ms; absent if the reader adds the time. */
  readonly wallMs?: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LineStyle {
  readonly format: 'text' | 'json';
  /** systemd's `<N>` in front of each line. */
  readonly priority: boolean;
}

export const LINE_BYTES_MAX = 8 * 1024;

/** Syslog levels (sd-daemon(3)). */
const PRIORITIES = { error: 3, warn: 4, info: 6, debug: 7 } as const satisfies Record<Level, number>;
/** What a JSON line that is too long keeps of each text. One fits even if every character is escaped. */
const TEXT_CHARACTERS_MAX = 1000;

/** Causes of an error that are rendered. */
const CAUSES_MAX = 3;

type Scalar = string | number | boolean;

export function renderLine(entry: LogEntry, style: LineStyle, redaction: Redaction): string {
  const fields = plainFields(entry, redaction);
  const message = redaction.clean(entry.message).trimEnd();
  const render = style.format === 'json' ? jsonLine : textLine;
  const prefix = style.priority ? `<${PRIORITIES[entry.level]}>` : '';
  return render(entry, message, fields, prefix, redaction);
}

type Fields = readonly (readonly [key: string, value: Scalar])[];

function plainFields(entry: LogEntry, redaction: Redaction): Fields {
  const fields: (readonly [string, Scalar])[] = [];
  for (const [key, value] of Object.entries(entry.fields)) {
    if (value === undefined) continue;
    const cleaned = fieldText(value, (text) => redaction.clean(text));
    const isScalar = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
    fields.push([redaction.clean(key), isScalar && cleaned === String(value) ? value : cleaned]);
  }
  return fields;
}

/**
 * A field's value as text. Fields are scalars by type, but at run time an error becomes its message, code and
 * causes, and any other object its JSON. Every text is redacted before JSON escapes it. Never throws, not
 * even for a throwing toJSON.
 */
function fieldText(value: unknown, clean: (text: string) => string): string {
  try {
    if (value instanceof Error) return clean(errorText(value));
    if (typeof value !== 'object' || value === null) return clean(String(value));
    const json = JSON.stringify(value, (_key, nested) =>
      typeof nested === 'string' ? clean(nested) : nested,
    );
    // An object with a toJSON, such as a Secret, becomes a plain text.
    return json.startsWith('"') ? String(JSON.parse(json)) : clean(json);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function errorText(error: Error): string {
  const texts: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && texts.length <= CAUSES_MAX) {
    const name = current.name === 'Error' ? '' : `${current.name}: `;
    const code =
      'code' in current && !current.message.includes(String(current.code)) ? ` (${current.code})` : '';
    texts.push(`${name}${current.message}${code}`);
    current = current.cause;
  }
  return texts.join(', caused by: ');
}

function textLine(
  entry: LogEntry,
  message: string,
  fields: Fields,
  prefix: string,
  redaction: Redaction,
): string {
  const time = timeOf(entry);
  const head = time === undefined ? '' : `${time} ${entry.level.padEnd(5)} `;
  const pairs = fields.map(([key, value]) => ` ${bareOrQuoted(key)}=${bareOrQuoted(String(value))}`);
  const line = redaction.clean(`${prefix}${head}${escapeControls(message)}${pairs.join('')}`);
  return truncate(line);
}

function jsonLine(
  entry: LogEntry,
  message: string,
  fields: Fields,
  prefix: string,
  redaction: Redaction,
): string {
  const render = (text: (value: Scalar) => Scalar, members: Fields, extra: object): string => {
    const time = timeOf(entry);
    const ownMembers = {
      ...(time === undefined ? {} : { time }),
      level: entry.level,
      message: text(message),
    };
    const others = members.map(([key, value]) => [
      Object.hasOwn(ownMembers, key) ? `_${key}` : key,
      text(value),
    ]);
    const object = { ...Object.fromEntries(others), ...extra };
    return redaction.clean(
      `${prefix}${escapeControls(JSON.stringify({ ...ownMembers, ...object }), jsonEscape)}`,
    );
  };
  const complete = render((value) => value, fields, {});
  const bytes = Buffer.byteLength(complete);
  if (bytes <= LINE_BYTES_MAX) return complete;
  const shorter = render(shorten, fields, { cutFromBytes: bytes });
  if (Buffer.byteLength(shorter) <= LINE_BYTES_MAX) return shorter;
  return render(shorten, [], { cutFromBytes: bytes });
}

function timeOf({ wallMs }: LogEntry): string | undefined {
  if (wallMs === undefined) return undefined;
  const date = new Date(wallMs);
  return Number.isNaN(date.getTime()) ? 'no-time' : utcText(date);
}

function bareOrQuoted(text: string): string {
  if (/^[\w.:/@%+,;*()[\]{}<>-]+$/.test(text)) return text;
  return escapeControls(JSON.stringify(text), jsonEscape);
}

function shorten(value: Scalar): Scalar {
  if (typeof value !== 'string' || value.length <= TEXT_CHARACTERS_MAX) return value;
  return `${value.slice(0, TEXT_CHARACTERS_MAX)}…`;
}

/**
 * Control characters, line and paragraph separators, characters that change the writing direction, lone
 * surrogates.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

function escapeControls(text: string, escapeOne: (character: string) => string = plainEscape): string {
  return text.replace(CONTROLS, escapeOne);
}

function plainEscape(character: string): string {
  if (character === '\n') return '\\n';
  return character === '\t' ? '\\t' : jsonEscape(character);
}

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** At most LINE_BYTES_MAX bytes of UTF-8, cut between characters, with a mark that gives the full length. */
function truncate(line: string): string {
  const bytes = Buffer.from(line);
  if (bytes.length <= LINE_BYTES_MAX) return line;
  const mark = ` … (cut, ${bytes.length} bytes)`;
  let end = LINE_BYTES_MAX - Buffer.byteLength(mark);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}${mark}`;
}

/**
 * A valid date as ISO 8601 in UTC. Date.prototype.toISOString also looks up the local time zone: 0.9 MiB for
 * good (Node 20 to 24, 2026-11-26).
 */
export function utcText(date: Date): string {
  const year = date.getUTCFullYear();
  if (year < 0 || year > 9999) return date.toISOString();
  const day = [pad(year, 4), pad(date.getUTCMonth() + 1, 2), pad(date.getUTCDate(), 2)].join('-');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((part) => pad(part, 2));
  return `${day}T${time.join(':')}.${pad(date.getUTCMilliseconds(), 3)}Z`;
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
