/**
 * The rules of the structure: which room may import which, and how large a file or a folder may be. Each rule
 * has its reason.
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
  testPathsIn,
} from './import-graph.ts';

const ROOT = join(process.cwd(), 'src');
/** A longer file has a second purpose. */
const LINES_MAX = 300;
/** A folder with more files needs rooms. */
const FILES_PER_FOLDER_MAX = 22;

/** The rooms of core/, lowest level first; a room may import its own level and lower ones. */
const CORE_LEVELS: readonly (readonly string[])[] = [
  ['core/model'],
  ['core/failures'],
  ['core/ports'],
  ['core/async'],
  ['core/events', 'core'],
  ['core/timestamps', 'core/sampling', 'core/delivery'],
  ['core/update'],
  ['core/session'],
  ['core/downlink'],
  ['core/failover', 'core/status'],
  ['core/health'],
];

const sources = readSources(ROOT);
const imports = importsOf(ROOT, sources);
const room = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path);

function importsThat(isForbidden: (each: Import) => boolean): string[] {
  return imports.filter(isForbidden).map(({ from, to }) => `${from} imports ${to}`);
}

function filesMatching(pattern: RegExp, isChecked: (path: string) => boolean): string[] {
  return sources
    .filter(({ path, text }) => isChecked(path) && pattern.test(withoutComments(text)))
    .map(({ path }) => path);
}

describe('imports', () => {
  test('the import graph contains the imports of src/', () => {
    assert.ok(imports.some(({ from, to }) => from === 'agent/agent.ts' && to === 'core/session/machine.ts'));
    assert.ok(imports.length > 1000);
  });

  test('imports make no circle between files', () => {
    assert.deepEqual(circlesOf(graphOf(imports)), []);
  });

  test('imports make no circle between folders', () => {
    assert.deepEqual(circlesOf(graphOf(imports, folderOf)), []);
  });

  test('core/ imports only core/, so that it runs in virtual time from a seed', () => {
    assert.deepEqual(
      importsThat(({ from, to }) => room(from) === 'core' && room(to) !== 'core'),
      [],
    );
  });

  test('a room of core/ imports only its own or a lower level', () => {
    const levels = new Map(
      CORE_LEVELS.flatMap((rooms, level) => rooms.map((name) => [name, level] as const)),
    );
    const level = (path: string): number => levels.get(folderOf(path)) ?? Number.NaN;
    const folders = new Set(
      sources.map(({ path }) => folderOf(path)).filter((path) => room(path) === 'core'),
    );
    assert.deepEqual([...folders].sort(), [...levels.keys()].sort());
    assert.deepEqual(
      importsThat(({ from, to }) => room(from) === 'core' && isSource(to) && level(to) > level(from)),
      [],
    );
  });

  test('an adapter room imports only itself and core/; app/ and cli/ join the rooms', () => {
    const joiningRooms = new Set(['app', 'cli', 'main.ts']);
    const forbidden = importsThat(
      ({ from, to }) =>
        !joiningRooms.has(room(from)) && isSource(to) && room(to) !== room(from) && room(to) !== 'core',
    );
    assert.deepEqual(forbidden, []);
  });

  test('app/ does not import cli/', () => {
    assert.deepEqual(
      importsThat(({ from, to }) => room(from) === 'app' && room(to) === 'cli'),
      [],
    );
  });

  test('the sandbox imports nothing of the agent, so that an error cannot confirm itself', () => {
    assert.deepEqual(
      importsThat(({ from, to }) => room(from) === 'sandbox' && isSource(to) && room(to) !== 'sandbox'),
      [],
    );
  });

  test('only the command of the sandbox imports the sandbox', () => {
    assert.deepEqual(
      importsThat(
        ({ from, to }) =>
          room(from) !== 'sandbox' && folderOf(from) !== 'cli/sandbox' && room(to) === 'sandbox',
      ),
      [],
    );
  });

  test('each library is imported in one place, which handles its traps', () => {
    const allowedFiles: Readonly<Record<string, RegExp>> = {
      coap: /^transport\/coap\/library-requests\.ts$/,
      conf: /^credentials\/write-durably\.ts$/,
      winston: /^host\/log\/logger\.ts$/,
      systeminformation: /^host\/hardware\/facts-child\.ts$/,
      commander: /^cli\/(program|diagnostic-commands|[a-z]+\/define)\.ts$/,
      'smol-toml': /^config\/sources\/toml-file\.ts$/,
    };
    for (const [library, place] of Object.entries(allowedFiles)) {
      assert.deepEqual(
        importsThat(({ from, to }) => to === library && !place.test(from)),
        [],
      );
      assert.ok(
        imports.some(({ to }) => to === library),
        `${library} is used`,
      );
    }
  });

  test('sensors/ imports no module that starts a process', () => {
    assert.deepEqual(
      importsThat(({ from, to }) => room(from) === 'sensors' && to.includes('child_process')),
      [],
    );
  });
});

describe('time, randomness and process', () => {
  test('core/ gets time, randomness and process only through its ports', () => {
    const pattern = /\bDate\.now\(|\bMath\.random\(|\bperformance\.|\bsetTimeout\(|\bprocess\./;
    assert.deepEqual(
      filesMatching(pattern, (path) => room(path) === 'core'),
      [],
    );
  });

  test('only the clock adapter, the sandbox, the demo and main.ts start timers', () => {
    const allowed = /^(sandbox\/|cli\/demo\/|host\/clock\/clock\.ts|main\.ts)/;
    assert.deepEqual(
      filesMatching(/\bset(Timeout|Interval)\(/, (path) => !allowed.test(path)),
      [],
    );
  });
});

describe('a source file', () => {
  test('a source file opens with a comment about its purpose', () => {
    const uncommented = sources.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path);
    assert.deepEqual(uncommented, []);
  });

  test(`a source file has at most ${LINES_MAX} lines`, () => {
    const long = sources
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => `${path}: ${lines}`);
    assert.deepEqual(long, []);
  });
});

describe('a folder', () => {
  for (const [root, paths] of [
    ['src', sources.map(({ path }) => path)],
    ['test', testPathsIn(join(process.cwd(), 'test'))],
  ] as const) {
    test(`of ${root}/ holds at most ${FILES_PER_FOLDER_MAX} files`, () => {
      const folders = new Map<string, number>();
      for (const path of paths) folders.set(folderOf(path), (folders.get(folderOf(path)) ?? 0) + 1);
      assert.ok(folders.size > 50);
      assert.deepEqual(
        [...folders].filter(([, files]) => files > FILES_PER_FOLDER_MAX),
        [],
      );
    });
  }
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*/g, '');
}
