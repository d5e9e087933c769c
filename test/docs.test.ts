/** The documents: the generated ones are current, links lead to existing files, prose keeps its width. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { RELEASE_DATE, RELEASED_MS, VERSION } from '../src/app/version.ts';
import { variableOf } from '../src/config/schema/setting.ts';
import { allSettings } from '../src/config/schema/settings.ts';
import { EVENTS } from '../src/core/events/catalogue.ts';
import { collectors } from '../src/sensors/catalogue.ts';

const README_LINES_MAX = 200;
const README_BYTES_MAX = 14_336;
const PROSE_COLUMNS_MAX = 100;

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};
const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => join('docs', file));
const read = (file: string): string => readFileSync(file, 'utf8');

describe('the generated documents', () => {
  it('the generated documents are current', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/docs.mjs', '--check'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  it('the reference pages describe every setting, telemetry key and event', () => {
    const configuration = read('docs/reference/configuration.md');
    for (const setting of allSettings) {
      assert.ok(configuration.includes(`\n### \`${setting.key}\`\n`), setting.key);
      assert.ok(configuration.includes(`\`${variableOf(setting)}\``), variableOf(setting));
    }
    const sensors = read('docs/reference/sensors.md');
    for (const { key } of collectors.flatMap(({ catalogue }) => catalogue))
      assert.ok(sensors.includes(`\n| \`${key}\` | `), key);
    const events = read('docs/reference/events.md');
    for (const id of Object.keys(EVENTS).filter((each) => each !== 'FL-ABORTED'))
      assert.ok(events.includes(`\n### ${id}\n`), id);
  });

  it('each table of the documents has as many cells in its rows as in its head', () => {
    for (const page of pages) {
      for (const [rows] of read(page).matchAll(/^\|.*\|(?:\n\|.*\|)*$/gm)) {
        const widths = rows.split('\n').map((row) => row.split(/(?<!\\)\|/).length);
        assert.equal(new Set(widths).size, 1, `${page}: ${rows.slice(0, 100)}`);
      }
    }
  });
});

describe('README.md', () => {
  it('README.md has at most 200 lines and 14 KiB', () => {
    const readme = read('README.md');
    const lines = readme.trimEnd().split('\n').length;
    assert.ok(lines <= README_LINES_MAX, `${lines} lines`);
    assert.ok(Buffer.byteLength(readme) <= README_BYTES_MAX, `${Buffer.byteLength(readme)} bytes`);
  });
});

describe('README.md and docs/', () => {
  for (const page of ['README.md', ...pages]) {
    it(`${page} links to files that exist`, () => {
      for (const link of relativeLinks(read(page)))
        assert.ok(existsSync(join(dirname(page), link)), `${page}: ${link}`);
    });
  }

  for (const page of pages) {
    it(`${page} has prose of at most ${PROSE_COLUMNS_MAX} columns`, () => {
      const long = proseLines(read(page)).filter((line) => [...line].length > PROSE_COLUMNS_MAX);
      assert.deepEqual(long, []);
    });
  }

  for (const page of ['README.md', ...pages]) {
    it(`${page} names only events, npm scripts and source files that exist`, () => {
      const text = read(page);
      const events = [...text.matchAll(/\bFL-[A-Z0-9]+(?:-[A-Z0-9]+)*\b(?!-)/g)].map(([id]) => id);
      assert.deepEqual(
        events.filter((id) => !Object.hasOwn(EVENTS, id)),
        [],
      );
      const scripts = [...text.matchAll(/\bnpm run ([a-z:]+)/g)].map(([, name = '']) => name);
      assert.deepEqual(
        scripts.filter((name) => !Object.hasOwn(manifest.scripts, name)),
        [],
      );
      const sources = [...text.matchAll(/`((?:src|test|scripts|systemd)\/[\w./-]+\.\w+)`/g)].map(
        ([, path = '']) => path,
      );
      assert.deepEqual(
        sources.filter((path) => !existsSync(path)),
        [],
      );
    });
  }

  it('state the purpose of each dependency, whose version is exact', () => {
    const all = ['README.md', ...pages].map(read).join('\n');
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.match(all, new RegExp(`^\\| \`${name}\` \\| .{10,} \\|$`, 'm'), name);
    }
  });
});

it('the version of the agent is that of the package, and the changelog has it', () => {
  assert.equal(VERSION, manifest.version);
  assert.ok(read('CHANGELOG.md').includes(`## ${VERSION}`));
});

it('the release date of the agent is that of the changelog', () => {
  assert.match(RELEASE_DATE, /^20\d\d-\d\d-\d\d$/);
  assert.equal(new Date(RELEASED_MS).toISOString().slice(0, 10) < RELEASE_DATE, true);
  const [, date] = new RegExp(`^## ${VERSION} \\((.+)\\)$`, 'm').exec(read('CHANGELOG.md')) ?? [];
  if (date !== 'unreleased') assert.equal(date, RELEASE_DATE);
});

/** The paths of links and pictures, without those of code, other hosts and headings of the same page. */
function relativeLinks(markdown: string): readonly string[] {
  const text = withoutFences(markdown)
    .join('\n')
    .replace(/`[^`]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)[^)]*\)|\b(?:src|href)="([^"]+)"/g)]
    .map(([, link, attribute]) => (link ?? attribute ?? '').replace(/#.*$/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link));
}

/** Lines of text: no code, heading, table or link. */
function proseLines(markdown: string): readonly string[] {
  return withoutFences(markdown).filter((line) => !/^(#| {4}|\|)|https?:\/\/|\]\(/.test(line));
}

function withoutFences(markdown: string): readonly string[] {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '').split('\n');
}
