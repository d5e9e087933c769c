/**
 * The changelog as Debian wants it, made from CHANGELOG.md, and the date that everything in a package carries.
 *
 * Two builds of one source must give the same bytes, so no date is that of the build: SOURCE_DATE_EPOCH if it is set
 * (reproducible-builds.org), else that of the last commit, else the day CHANGELOG.md was written last.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LINE_CHARACTERS_MAX = 78;

/** Seconds since 1970. */
export function sourceDate(root) {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && given !== '') {
    if (/^\d{1,12}$/.test(given)) return Number(given);
    throw new Error(`SOURCE_DATE_EPOCH is a number of seconds, not ${given}`);
  }
  const { status, stdout } = spawnSync('git', ['-C', root, 'log', '-1', '--format=%ct'], {
    encoding: 'utf8',
  });
  if (status === 0 && /^\d+\s*$/.test(stdout)) return Number(stdout);
  return Math.floor(statSync(join(root, 'CHANGELOG.md')).mtimeMs / 1000);
}

/** An entry for each `## VERSION (date)`; `release` is the version being packaged, its date and its maintainer. */
export function renderChangelog(root, { version, debVersion, epoch, maintainer }) {
  const [, ...sections] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m);
  return sections
    .map((section) => {
      const [head = '', ...lines] = section.split('\n');
      const [, name, day] = /^(\S+)(?: \((\d{4}-\d\d-\d\d)\))?/.exec(head) ?? [];
      const seconds = day === undefined ? epoch : Date.parse(`${day}T00:00:00Z`) / 1000;
      const items = lines
        .join(' ')
        .split(/(?:^|\s)- /)
        .map((each) => each.replace(/\s+/g, ' ').trim());
      const told = items.filter((each) => each !== '').map(wrapped);
      const shown = name === version ? debVersion : name;
      return `firstlight (${shown}) stable; urgency=medium\n\n${told.join('')}\n -- ${maintainer}  ${mailDate(seconds)}\n`;
    })
    .join('\n');
}

function wrapped(words) {
  const lines = [];
  let line = '  *';
  for (const word of words.split(' ')) {
    if (line.length + 1 + word.length > LINE_CHARACTERS_MAX) {
      lines.push(line);
      line = '   ';
    }
    line = `${line} ${word}`;
  }
  return `${[...lines, line].join('\n')}\n`;
}

/** Sun, 22 Nov 2026 04:00:00 +0000 */
function mailDate(seconds) {
  return new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
}
