/**
 * Finds the line (from 1) of a key in a valid TOML document, because the parser reports lines for syntax errors only.
 *
 * Supports dotted, quoted and spaced keys, multi-line strings and lists. A key in an inline table has the line of the table. The
 * third `[[sensor.exec]]` has the path sensor, exec, 2.
 */

const TOKEN =
  /(?<text>"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')|#[^\n]*|(?<mark>[[\]{}=\n])|(?<word>[^\s[\]{}=.,"'#]+)/g;

export type LineLocator = (path: readonly string[]) => number | undefined;

export function createLineLocator(toml: string): LineLocator {
  const lines = new Map<string, number>();
  const record = (path: readonly string[], line: number): void => {
    for (let length = 1; length <= path.length; length++) {
      const id = pathId(path.slice(0, length));
      if (!lines.has(id)) lines.set(id, line);
    }
  };
  scan(toml, record);
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(pathId(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  };
}

function scan(toml: string, record: (path: readonly string[], line: number) => void): void {
  let line = 1;
  let state: 'key' | 'header' | 'value' = 'key';
  let table: readonly string[] = [];
  let parts: string[] = [];
  let brackets = 0;
  const elements = new Map<string, number>();
  let depth = 0;
  for (const { groups = {} } of toml.matchAll(TOKEN)) {
    const { text, mark, word } = groups;
    const name = word ?? text;
    if (name !== undefined) {
      if (state !== 'value') parts.push(unquote(name));
      line += name.split('\n').length - 1;
    } else if (state === 'value') {
      if (mark === '[' || mark === '{') depth++;
      if (mark === ']' || mark === '}') depth--;
      if (mark === '\n' && depth === 0) state = 'key';
    } else if (mark === '[' && parts.length === 0) {
      state = 'header';
      brackets += 1;
    } else if (mark === ']' && parts.length > 0) {
      table = brackets < 2 ? parts : [...parts, nextElement(elements, parts)];
      record(table, line);
      parts = [];
    } else if (mark === '=') {
      record([...table, ...parts], line);
      parts = [];
      state = 'value';
    } else if (mark === '\n') {
      state = 'key';
      brackets = 0;
    }
    if (mark === '\n') line++;
  }
}

/** The index of a new table in its list. */
function nextElement(elements: Map<string, number>, list: readonly string[]): string {
  const index = elements.get(pathId(list)) ?? 0;
  elements.set(pathId(list), index + 1);
  return String(index);
}

function unquote(name: string): string {
  if (name.startsWith("'")) return name.slice(1, -1);
  if (!name.startsWith('"')) return name;
  try {
    return String(JSON.parse(name));
  } catch {
    return name.slice(1, -1);
  }
}

function pathId(path: readonly string[]): string {
  return JSON.stringify(path);
}
