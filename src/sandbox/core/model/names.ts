/**
 * What the real server refuses in device names and in keys. A device learns of a refused name; of a refused
 * key it does not, because its message has been accepted by then (contract sections 3.3, 4.4 and 14).
 */

const LENGTH_MAX = 255;
/** An opening or closing tag, a comment, or a template expression. A lone `<` is text. */
const MARKUP = /<[a-z/!?]|\{\{.*\}\}/is;

/** Java's trim removes every character up to the space, so a name of control characters is blank too. */
export function trimJava(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charAt(start) <= ' ') start += 1;
  while (end > start && text.charAt(end - 1) <= ' ') end -= 1;
  return text.slice(start, end).trim() === '' ? '' : text.slice(start, end);
}

/** The reason why a device cannot have this name; undefined if it can. */
export function nameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'the name is blank';
  if (name.length > LENGTH_MAX) return `the name is longer than ${LENGTH_MAX} characters`;
  if (MARKUP.test(name)) return 'the name contains markup';
  // The database refuses only this one; other control characters become part of the name.
  if (name.includes('\0')) return 'the name contains a null character';
  return undefined;
}

/**
 * True if each key can be stored: not blank, at most 255 characters, no markup. The server saves the keys of
 * one object together, so one refused key loses all of them.
 */
export function areStorable(keys: Iterable<string>): boolean {
  for (const key of keys) {
    if (key.trim() === '' || key.length > LENGTH_MAX || MARKUP.test(key)) return false;
  }
  return true;
}
