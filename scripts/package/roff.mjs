/**
 * The little of roff's man macros that our pages use, so that no text of ours is taken for a request, and a minus
 * can be copied to a shell as a minus.
 */

export function title(name, section, { date, version }) {
  return `.TH ${name.toUpperCase()} ${section} ${date} "firstlight ${version}" Firstlight\n`;
}

/** The parts as one page; right below a heading a paragraph begins by itself. */
export function page(parts) {
  return parts.join('').replace(/^(\.S[HS] .*\n)\.P\n/gm, '$1');
}

export function heading(words) {
  return `.SH ${quoted(words)}\n`;
}

export function subheading(words) {
  return `.SS ${quoted(words)}\n`;
}

export function paragraph(words) {
  return `.P\n${line(words)}`;
}

/** A term and what it means; more than one sentence may follow, each a paragraph of its own. */
export function item(term, ...meanings) {
  return `.TP\n.B ${quoted(term)}\n${meanings.map(line).join('.br\n')}`;
}

/** Lines that stay as they are. */
export function verbatim(lines) {
  return `.IP\n.nf\n${lines.map(line).join('')}.fi\n`;
}

function line(words) {
  return `${escaped(words).replace(/^([.'])/, '\\&$1')}\n`;
}

function quoted(words) {
  return `"${escaped(words).replaceAll('"', '\\(dq')}"`;
}

function escaped(words) {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll("'", '\\(aq')
    .replace(/[^\0-\x7f]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    });
}
