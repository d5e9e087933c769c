/** Terminal output with ANSI colours as an SVG picture of a dark terminal window. */

const COLUMN_PX = 8.4;
const LINE_PX = 20;
const FONT_PX = 14;
const MARGIN_PX = 20;
const TITLE_BAR_PX = 36;

/** By SGR code, the ones of src/cli: green, yellow, red, dim; 1 is used here for the prompt. */
const COLOURS = { 0: '#d0d7de', 1: '#f0f6fc', 2: '#8b949e', 31: '#ff7b72', 32: '#56d364', 33: '#e3b341' };
const BUTTONS = ['#ff5f56', '#ffbd2e', '#27c93f'];

/** `label` describes the picture to those who cannot see it. */
export function renderTerminal(lines, { columns, title, label }) {
  const width = Math.ceil(columns * COLUMN_PX + 2 * MARGIN_PX);
  const height = TITLE_BAR_PX + lines.length * LINE_PX + MARGIN_PX;
  const buttons = BUTTONS.map(
    (colour, index) => `<circle cx="${MARGIN_PX + index * 20}" cy="18" r="6" fill="${colour}"/>`,
  );
  const text = lines.flatMap((line, index) =>
    runsOf(line).map((run) => renderRun(run, TITLE_BAR_PX + (index + 0.75) * LINE_PX)),
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${xml(label)}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#161b22"/>`,
    ...buttons,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace" font-size="${FONT_PX}">`,
    `<text x="${width / 2}" y="23" text-anchor="middle" fill="${COLOURS[2]}">${xml(title)}</text>`,
    ...text,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

/** The pieces of a line between two changes of colour, each with the column it begins in. */
function runsOf(line) {
  let column = 0;
  return line.split('\x1b[').flatMap((piece, index) => {
    // After an escape: the number of a colour and an m.
    const [sequence = '', code = '0'] = index === 0 ? [] : (/^(\d+)m/.exec(piece) ?? []);
    const shown = piece.slice(sequence.length);
    const begin = column + shown.length - shown.trimStart().length;
    column += shown.length;
    return shown.trim() === '' ? [] : [{ text: shown.trim(), column: begin, colour: Number(code) }];
  });
}

/** `textLength` keeps the columns aligned whatever font there is. */
function renderRun({ text, column, colour }, y) {
  const x = round(MARGIN_PX + column * COLUMN_PX);
  const length = round(text.length * COLUMN_PX);
  return `<text x="${x}" y="${y}" fill="${COLOURS[colour]}" textLength="${length}" xml:space="preserve">${xml(text)}</text>`;
}

function round(px) {
  return Math.round(px * 10) / 10;
}

function xml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
