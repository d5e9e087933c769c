/**
 * A log field's value as text. Fields are scalars by type, but at run time an error becomes its message, code and causes, and
 * any other object its JSON. Every text is redacted before JSON escapes it. Never throws, not even for a throwing toJSON.
 */

const CAUSES_MAX = 3;

export function fieldText(value: unknown, clean: (text: string) => string): string {
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
