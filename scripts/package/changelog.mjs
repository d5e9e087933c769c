/**
 * The Debian changelog, made from CHANGELOG.md, and the date of all files in a package.
 *
 * Two builds of one source must be identical, so no date is that of the build: SOURCE_DATE_EPOCH if it is set
 * (reproducible-builds.org), else the date of the last commit, else the modification time of CHANGELOG.md.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LINE_CHARACTERS_MAX = 78;

/** Seconds since 1970. */
export function sourceDate(root) {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  if (epoch !== undefined && epoch !== '') {
    if (/^\d{1,12}$/.test(epoch)) return Number(epoch);
    throw new Error(`SOURCE_DATE_EPOCH must be a number of seconds, not ${epoch}`);
  }
  const { status, stdout } = spawnSync('git', ['-C', root, 'log', '-1', '--format=%ct'], {
    encoding: 'utf8',
  });
  if (status === 0 && /^\d+\s*$/.test(stdout)) return Number(stdout);
  return Math.floor(statSync(join(root, 'CHANGELOG.md')).mtimeMs / 1000);
}

/** An entry for each `## VERSION (date)`; the second argument is the release that is packaged. */
export function renderChangelog(root, { version, debVersion, epoch, maintainer }) {
  const [, ...sections] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m);
  return sections
    .map((section) => {
      const [head = '', ...lines] = section.split('\n');
      const [, name, day] = /^(\S+)(?: \((\d{4}-\d\d-\d\d)\))?/.exec(head) ?? [];
      const seconds = day === undefined ? epoch : Date.parse(`${day}T00:00:00Z`) / 1000;
      // Headings and tables are for Markdown: a Debian changelog has items only.
      const items = lines
        .filter((line) => !/^[#|]/.test(line))
        .join(' ')
        .split(/(?:^|\s)- /)
        .map((each) => each.replace(/\s+/g, ' ').trim());
      const entries = items.filter((each) => each !== '').map(wrapped);
      const shown = name === version ? debVersion : name;
      return `firstlight (${shown}) stable; urgency=medium\n\n${entries.join('')}\n -- ${maintainer}  ${mailDate(seconds)}\n`;
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
