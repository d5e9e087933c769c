/** Parts of a Markdown document: text escaped, prose wrapped at 100 columns. Blocks are joined by a blank line. */

const COLUMNS_MAX = 100;

export const blocks = (parts) => `${parts.flat().join('\n\n')}\n`;

/** Plain text, without what Markdown would take for markup. */
export function escaped(text) {
  return text.replace(/[\\`*<>]/g, '\\$&');
}

/** Markdown as wrapped lines; `first` begins the first line, spaces of that width the others. */
export function wrapped(markdown, first = '') {
  const lines = [];
  let line = first;
  for (const word of wordsOf(markdown)) {
    if (line.trim() !== first.trim() && line.length + 1 + word.length > COLUMNS_MAX) {
      lines.push(line);
      line = ' '.repeat(first.length);
    }
    line = line === '' || line.endsWith(' ') ? `${line}${word}` : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** A word that would be markup at the beginning of a line stays with the word before it. */
function wordsOf(markdown) {
  return markdown.split(/\s+(?!(?:[-+#=]+|\d+[.)])(?:\s|$))/).filter((word) => word !== '');
}

export function bullets(items) {
  return items.map((item) => wrapped(item, '- ')).join('\n');
}

export function fence(text, language = '') {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

/** `head` and `rows` are lists of Markdown cells. */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

/** A table's text of paragraphs, numbered lists and indented lines, as Markdown blocks. */
export function prose(text) {
  const parts = [];
  for (const line of text.split('\n')) {
    const kind = /^\s+\d\. /.test(line) ? 'list' : /^\s/.test(line) ? 'code' : 'text';
    const last = parts.at(-1);
    if (kind === 'text' || last?.kind !== kind) parts.push({ kind, lines: [line] });
    else last.lines.push(line);
  }
  return parts.map(({ kind, lines }) => {
    if (kind === 'text') return wrapped(escaped(lines.join(' ')));
    if (kind === 'code') return fence(lines.map((line) => line.trim()).join('\n'));
    return lines
      .flatMap((line) => line.trim().split(/\s+(?=\d\. )/))
      .map((item) => wrapped(escaped(item.slice(3)), item.slice(0, 3)))
      .join('\n');
  });
}

/** A fragment as a sentence: a capital letter, unless it begins with a name such as server.url, and a full stop. */
export function sentence(text) {
  const isName = /^(systemd|[a-z]+([A-Z./_]|\d))/.test(text);
  const begun = isName ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?]\)?$/.test(begun) ? begun : `${begun}.`;
}
