/**
 * firstlight-error.txt: what is wrong with the file beside it, for a person with a laptop and nothing else.
 *
 * Line ends of Windows, so that every editor shows the lines. It has no date, since a gateway that boots for the first time has
 * none, and so the same problems make the same note and nothing is written again. No secret is in it, because none is in
 * the problems.
 */

export const NOTE_NAME = 'firstlight-error.txt';

export interface ImportProblem {
  /** Of the person's file, from 1. */
  readonly line?: number | undefined;
  /** What is wrong, with key, bound and example. */
  readonly text: string;
}

export function errorNote(fileName: string, problems: readonly ImportProblem[], version: string): Buffer {
  const isPlural = problems.length > 1;
  const text = [
    `Firstlight could not use the file ${fileName}. It was left as it is, and nothing else was changed.`,
    '',
    isPlural ? `These ${problems.length} things are wrong with it:` : 'This is wrong with it:',
    '',
    ...problems.flatMap((problem, index) => [`${index + 1}. ${formatProblem(problem)}`, '']),
    `What to do: correct ${fileName} on this card, eject the card, and start the gateway with it again.`,
    'This note goes away by itself when the file has been taken.',
    '',
    `(firstlight ${version})`,
    '',
  ].join('\n');
  // Old editors take text without a mark for the local code page, which matters only beyond ASCII.
  const mark = /[^\n\x20-\x7e]/.test(text) ? '\uFEFF' : '';
  return Buffer.from(mark + text.replaceAll('\n', '\r\n'));
}

/** The parts of the loader's sentence below each other. */
function formatProblem({ line, text }: ImportProblem): string {
  const [what = '', ...rest] = text.split(/; (?=allowed: |example: )/);
  const where = line === undefined ? '' : `Line ${line}: `;
  return [`${where}${what}`, ...rest.map((part) => `   ${part}`)].join('\n');
}
