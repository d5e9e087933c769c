/**
 * The report of the settings to the server, as two client attributes: what counts, and what is wrong. Each fits one datagram,
 * whatever the settings are.
 */

import { utf8Bytes } from '../delivery/encode.ts';

/** Of one attribute value, bytes of UTF-8 as JSON; its key and the rest of the body need 40 more (delivery/encode.ts). */
const VALUE_BYTES_MAX = 880;
/** Characters of one setting, tried in this order until the whole fits. */
const TEXT_LIMITS = [160, 80, 40, 20, 10];
export const NO_PROBLEMS = 'none';

export interface SettingsReport {
  /** A JSON object: attribute to text. */
  readonly configApplied: string;
  /** Sentences, or "none". */
  readonly configProblems: string;
}

export function createReport(
  effective: ReadonlyMap<string, string>,
  problems: readonly string[],
): SettingsReport {
  return { configApplied: encodeApplied(effective), configProblems: encodeProblems(problems) };
}

function encodeApplied(effective: ReadonlyMap<string, string>): string {
  let json = '{}';
  for (const limit of TEXT_LIMITS) {
    json = JSON.stringify(
      Object.fromEntries([...effective].map(([name, text]) => [name, shorten(text, limit)])),
    );
    if (encodedBytes(json) <= VALUE_BYTES_MAX) return json;
  }
  return '{}';
}

/** As many sentences as fit, and the number of the others. */
function encodeProblems(problems: readonly string[]): string {
  if (problems.length === 0) return NO_PROBLEMS;
  for (let count = problems.length; count > 0; count -= 1) {
    const text = joined(problems.slice(0, count), problems.length - count);
    if (encodedBytes(text) <= VALUE_BYTES_MAX) return text;
  }
  const [first = ''] = problems;
  let limit = [...first].length;
  while (limit > 0 && encodedBytes(joined([shorten(first, limit)], problems.length - 1)) > VALUE_BYTES_MAX)
    limit -= 20;
  return joined([shorten(first, limit)], problems.length - 1);
}

function joined(sentences: readonly string[], omitted: number): string {
  return [...sentences, ...(omitted > 0 ? [`and ${omitted} more in the log of the gateway`] : [])].join(
    ' | ',
  );
}

function shorten(text: string, charactersMax: number): string {
  const characters = [...text];
  return characters.length <= charactersMax
    ? text
    : `${characters.slice(0, Math.max(0, charactersMax)).join('')}…`;
}

/** Of the value inside a JSON body. */
function encodedBytes(text: string): number {
  return utf8Bytes(JSON.stringify(text));
}
