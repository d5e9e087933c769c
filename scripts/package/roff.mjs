/**
 * Markdown as a manual page. It takes the parts that scripts/docs/markdown.mjs makes: headings, paragraphs, lists, fenced code,
 * `code`, **bold**, _emphasis_ and links; no tables.
 */

/** `markdown` begins with the description; `summary` follows the name in the section NAME. */
export function renderManPage({ name, section, summary, synopsis, seeAlso, markdown }, { date, version }) {
  const parts = [
    `.TH ${name.toUpperCase()} ${section} ${date} "firstlight ${version}" Firstlight`,
    `.SH NAME\n${escaped(name)} \\- ${escaped(summary)}`,
    ...(synopsis ? [`.SH SYNOPSIS\n${synopsis.map((line) => `.B ${quoted(line)}`).join('\n.br\n')}`] : []),
    '.SH DESCRIPTION',
    ...blocksOf(markdown).map(renderBlock),
    `.SH "SEE ALSO"\n${seeAlso.map(([page, number]) => `.BR ${escaped(page)} (${number})`).join(',\n')}`,
  ];
  // Right below a heading a paragraph begins by itself.
  return `${parts.join('\n')}\n`.replace(/^(\.S[HS] .*\n)\.P\n/gm, '$1');
}

/** Blocks between blank lines; a blank line in fenced code ends none. */
function blocksOf(markdown) {
  return markdown.match(/^```[\s\S]*?^```$|^.+(\n(?!```).+)*/gm) ?? [];
}

function renderBlock(block) {
  const [, level, title] = /^(##|###) (.*)$/.exec(block) ?? [];
  if (level === '###') return `.SS ${quoted(title.replaceAll('`', ''))}`;
  if (level === '##')
    return `.SH ${quoted(title.includes('`') ? title.replaceAll('`', '') : title.toUpperCase())}`;
  if (block.startsWith('```')) {
    const lines = block.split('\n').slice(1, -1);
    return ['.IP', '.nf', ...lines.map((line) => guarded(escaped(line))), '.fi'].join('\n');
  }
  if (block.startsWith('|')) throw new Error(`a manual page has no tables: ${block.slice(0, 80)}`);
  return /^(-|\d\.) /.test(block) ? renderList(block) : `.P\n${inline(block)}`;
}

/** Items that begin with `term`: are definitions; the others have no space between them. */
function renderList(block) {
  const items = block.split(/\n(?=(?:-|\d\.) )/).map((item) => {
    const [, marker = '', text = ''] = /^(\S+) ([\s\S]*)$/.exec(item) ?? [];
    const [, term, meaning = ''] = /^(`[^`]+`): ([\s\S]*)$/.exec(text) ?? [];
    if (term !== undefined) return `.TP\n${inline(term)}\n${inline(meaning)}`;
    return `.IP ${marker === '-' ? '\\(bu 2' : `${marker} 3`}\n${inline(text)}`;
  });
  if (items[0]?.startsWith('.TP')) return items.join('\n');
  const [first, ...others] = items;
  return [first, '.PD 0', ...others, '.PD'].join('\n');
}

/** Text with its markup, on one line. */
function inline(markdown) {
  const text = markdown.replace(/\s*\n\s*/g, ' ');
  const pieces = text.matchAll(
    /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)]+)\)|\\([!-/:-@[-`{-~])|([\s\S])/g,
  );
  const rendered = [...pieces].map(([, code, bold, link, url, literal, plain]) => {
    if (code ?? bold) return `\\fB${escaped(code ?? bold)}\\fR`;
    if (link) return /^https?:/.test(url) ? escaped(`${link} (${url})`) : escaped(link);
    return escaped(literal ?? plain);
  });
  return guarded(rendered.join(''));
}

/** A line of text is not a request, whatever it begins with. */
function guarded(line) {
  return line.replace(/^([.']|\\\(aq)/, '\\&$1');
}

function quoted(words) {
  return `"${escaped(words).replaceAll('"', '\\(dq')}"`;
}

/** A minus can be copied to a shell as a minus. */
function escaped(words) {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replace(/[^\0-\x7f]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    });
}
