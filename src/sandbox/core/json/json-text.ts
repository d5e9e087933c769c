/**
 * Writes JSON text as the server writes it: members in order, number literals as they came, nested nulls kept.
 *
 * JSON.stringify cannot do this for parsed bodies: 9223372036854775807 or 1.0 would not survive a JavaScript number.
 */

import type { LenientValue } from './lenient-json.ts';

export function jsonText(value: LenientValue): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(value.value);
    case 'number':
      return value.literal;
    case 'string':
      return JSON.stringify(value.text);
    case 'array':
      return `[${value.items.map(jsonText).join(',')}]`;
    case 'object':
      return objectText([...value.members].map(([key, member]) => [key, jsonText(member)]));
  }
}

/** An object from members whose values are JSON text already. */
export function objectText(members: Iterable<readonly [key: string, json: string]>): string {
  return `{${[...members].map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}
