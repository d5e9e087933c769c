/**
 * firstlight-error.txt on the boot partition: the problems of the file beside it, for a person with only a laptop.
 *
 * It has Windows line ends for every editor, and no date, because a first boot has none and equal problems must give an equal
 * note. The problems contain no secret.
 */

export const NOTE_NAME = 'firstlight-error.txt';

export interface ImportProblem {
  /** In the imported file, from 1. */
  readonly line?: number | undefined;
  /** The problem with its key, bound and example. */
  readonly text: string;
}

export function errorNote(fileName: string, problems: readonly ImportProblem[], version: string): Buffer {
  const isPlural = problems.length > 1;
  const text = [
    `Firstlight could not import the file ${fileName}. Nothing was changed.`,
    '',
    isPlural ? `The file has ${problems.length} problems:` : 'The file has a problem:',
    '',
    ...problems.flatMap((problem, index) => [`${index + 1}. ${formatProblem(problem)}`, '']),
    `What to do: correct ${fileName} on this boot partition, eject the card or drive, and start the gateway again.`,
    'This note is deleted when the import succeeds.',
    '',
    `(firstlight ${version})`,
    '',
  ].join('\n');
  // Without a byte order mark, old editors read non-ASCII text in the local code page.
  const mark = /[^\n\x20-\x7e]/.test(text) ? '\uFEFF' : '';
  return Buffer.from(mark + text.replaceAll('\n', '\r\n'));
}

/** The parts of the loader's sentence on separate lines. */
function formatProblem({ line, text }: ImportProblem): string {
  const [what = '', ...rest] = text.split(/; (?=allowed: |example: )/);
  const where = line === undefined ? '' : `Line ${line}: `;
  return [`${where}${what}`, ...rest.map((part) => `   ${part}`)].join('\n');
}
