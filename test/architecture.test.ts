/**
 * The rules of the house: who may import whom, and how large a file or a folder may be. The reason stands beside each rule.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  circlesOf,
  folderOf,
  graphOf,
  type Import,
  importsOf,
  isSource,
  readSources,
} from './import-graph.ts';

const ROOT = join(process.cwd(), 'src');
/** A longer file hides a second idea. Files that are one table are exempt. */
const LINES_MAX = 300;
/** A longer list of files hides rooms. */
const FILES_PER_FOLDER_MAX = 22;

/** The rooms of core/, lowest level first; a room imports its own level's neighbours only where listed earlier. */
const CORE_LEVELS: readonly (readonly string[])[] = [
  ['core/model'],
  ['core/failures'],
  ['core/ports'],
  ['core/async'],
  ['core/events', 'core'],
  ['core/timestamps', 'core/sampling', 'core/delivery'],
  ['core/session'],
  ['core/failover', 'core/status'],
  ['core/health'],
];

const sources = readSources(ROOT);
const imports = importsOf(ROOT, sources);
const room = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path);

function offenders(isForbidden: (each: Import) => boolean): string[] {
  return imports.filter(isForbidden).map(({ from, to }) => `${from} imports ${to}`);
}

function filesMatching(pattern: RegExp, isChecked: (path: string) => boolean): string[] {
  return sources
    .filter(({ path, text }) => isChecked(path) && pattern.test(withoutComments(text)))
    .map(({ path }) => path);
}

describe('imports', () => {
  test('are seen by this test', () => {
    assert.ok(imports.some(({ from, to }) => from === 'agent/agent.ts' && to === 'core/session/machine.ts'));
    assert.ok(imports.length > 1000);
  });

  test('make no circle between files', () => {
    assert.deepEqual(circlesOf(graphOf(imports)), []);
  });

  test('make no circle between folders', () => {
    assert.deepEqual(circlesOf(graphOf(imports, folderOf)), []);
  });

  test('of core/ stay in core/, which runs in virtual time, on a virtual network, from a seed', () => {
    assert.deepEqual(
      offenders(({ from, to }) => room(from) === 'core' && room(to) !== 'core'),
      [],
    );
  });

  test('of a room of core/ lead to the same or a lower level', () => {
    const levels = new Map(
      CORE_LEVELS.flatMap((rooms, level) => rooms.map((name) => [name, level] as const)),
    );
    const level = (path: string): number => levels.get(folderOf(path)) ?? Number.NaN;
    const folders = new Set(
      sources.map(({ path }) => folderOf(path)).filter((path) => room(path) === 'core'),
    );
    assert.deepEqual([...folders].sort(), [...levels.keys()].sort());
    assert.deepEqual(
      offenders(({ from, to }) => room(from) === 'core' && isSource(to) && level(to) > level(from)),
      [],
    );
  });

  test('of an adapter room lead to core/ or stay in the room; app/ and cli/ join the rooms', () => {
    const joining = new Set(['app', 'cli', 'main.ts']);
    const wrong = offenders(
      ({ from, to }) =>
        !joining.has(room(from)) && isSource(to) && room(to) !== room(from) && room(to) !== 'core',
    );
    assert.deepEqual(wrong, []);
  });

  test('of app/ never lead to cli/', () => {
    assert.deepEqual(
      offenders(({ from, to }) => room(from) === 'app' && room(to) === 'cli'),
      [],
    );
  });

  test('of the sandbox lead to nothing of the agent, so that a misreading cannot agree with itself', () => {
    assert.deepEqual(
      offenders(({ from, to }) => room(from) === 'sandbox' && isSource(to) && room(to) !== 'sandbox'),
      [],
    );
  });

  test('of the sandbox are made by its command only', () => {
    assert.deepEqual(
      offenders(
        ({ from, to }) =>
          room(from) !== 'sandbox' && folderOf(from) !== 'cli/sandbox' && room(to) === 'sandbox',
      ),
      [],
    );
  });

  test('of a library are made in one place, which handles its traps', () => {
    const places: Readonly<Record<string, RegExp>> = {
      coap: /^transport\/coap\/client\.ts$/,
      conf: /^credentials\/(load-conf|record-files)\.ts$/,
      winston: /^host\/log\/logger\.ts$/,
      systeminformation: /^host\/hardware\/facts-child\.ts$/,
      commander: /^cli\/(program|[a-z]+\/define)\.ts$/,
      'smol-toml': /^config\/sources\/toml-file\.ts$/,
    };
    for (const [library, place] of Object.entries(places)) {
      assert.deepEqual(
        offenders(({ from, to }) => to === library && !place.test(from)),
        [],
      );
      assert.ok(
        imports.some(({ to }) => to === library),
        `${library} is used`,
      );
    }
  });

  test('of sensors/ cannot start a process', () => {
    assert.deepEqual(
      offenders(({ from, to }) => room(from) === 'sensors' && to.includes('child_process')),
      [],
    );
  });
});

describe('time, chance and process', () => {
  test('enter core/ through its ports only', () => {
    const pattern = /\bDate\.now\(|\bMath\.random\(|\bperformance\.|\bsetTimeout\(|\bprocess\./;
    assert.deepEqual(
      filesMatching(pattern, (path) => room(path) === 'core'),
      [],
    );
  });

  test('timers start in the clock adapter, and in what runs beside the agent', () => {
    const free = /^(sandbox\/|cli\/demo\/|host\/clock\/clock\.ts|main\.ts)/;
    assert.deepEqual(
      filesMatching(/\bset(Timeout|Interval)\(/, (path) => !free.test(path)),
      [],
    );
  });
});

describe('a source file', () => {
  test('opens with a comment that says what it is for', () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path);
    assert.deepEqual(silent, []);
  });

  test(`has at most ${LINES_MAX} lines`, () => {
    const long = sources
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => `${path}: ${lines}`);
    assert.deepEqual(long, []);
  });
});

describe('a folder', () => {
  const folders = new Map<string, number>();
  for (const { path } of sources) folders.set(folderOf(path), (folders.get(folderOf(path)) ?? 0) + 1);

  test(`holds at most ${FILES_PER_FOLDER_MAX} files`, () => {
    assert.deepEqual(
      [...folders].filter(([, files]) => files > FILES_PER_FOLDER_MAX),
      [],
    );
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*/g, '');
}
