/**
 * A field's value as text, whatever it is at run time.
 *
 * The port's type allows scalars only; an error that slips in is worth its message, code and cause, and
 * anything else its JSON, within bounds. Every text inside is cleaned before JSON escapes it. Never throws,
 * also not for a value whose own methods do.
 */

const CAUSES_MAX = 3;

export function fieldText(value: unknown, clean: (text: string) => string): string {
  try {
    if (value instanceof Error) return clean(errorText(value));
    if (typeof value !== 'object' || value === null) return clean(String(value));
    const json = JSON.stringify(value, (_key, nested) =>
      typeof nested === 'string' ? clean(nested) : nested,
    );
    // Something with a toJSON, such as a Secret, becomes text by itself.
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
