/**
 * Who may import whom. Each ban stands beside its reason; an import that breaks one makes this test fail.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const SOURCES = join(process.cwd(), 'src');
/** A file of more lines hides a second idea (src/README.md). */
const LINES_MAX = 300;

interface Import {
  /** `core/session.ts` */
  readonly from: string;
  /** A path like `from`, or a module's name. */
  readonly to: string;
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SOURCES, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g);
  return [...found].map(([, to = '']) => ({
    from: file,
    to: to.startsWith('.') ? relative(SOURCES, resolve(SOURCES, file, '..', to)) : to,
  }));
}

const imports = files.flatMap(importsOf);
const room = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path);

function offenders(ban: (each: Import) => boolean): string[] {
  return imports.filter(ban).map(({ from, to }) => `${from} imports ${to}`);
}

const isModule = (to: string): boolean => !to.endsWith('.ts');

test('the test sees the imports at all', () => {
  assert.ok(imports.some(({ from, to }) => from === 'agent.ts' && to === 'core/session.ts'));
  assert.ok(imports.length > 100);
});

test('the core imports only the core: it must run in virtual time, on a virtual network, from a seed', () => {
  assert.deepEqual(
    offenders(({ from, to }) => room(from) === 'core' && room(to) !== 'core'),
    [],
  );
});

test('the core asks no clock, no die and no process of its own', () => {
  const asking = files
    .filter((file) => room(file) === 'core')
    .filter((file) =>
      /\bDate\.now\(|\bMath\.random\(|\bperformance\.|\bsetTimeout\(|\bprocess\./.test(withoutComments(file)),
    );
  assert.deepEqual(asking, []);
});

test('a room imports the core and itself, never another room: rooms are joined in cli/ and main.ts', () => {
  const free = new Set(['cli', 'main.ts']);
  const wrong = offenders(
    ({ from, to }) =>
      !free.has(room(from)) && !isModule(to) && room(to) !== room(from) && room(to) !== 'core',
  );
  assert.deepEqual(wrong, []);
});

test('the sandbox imports nothing of the agent, so that a misreading cannot agree with itself', () => {
  assert.deepEqual(
    offenders(({ from, to }) => room(from) === 'sandbox' && !isModule(to) && room(to) !== 'sandbox'),
    [],
  );
});

test('nothing but the sandbox command imports the sandbox', () => {
  const wrong = offenders(
    ({ from, to }) => room(from) !== 'sandbox' && from !== 'cli/sandbox.ts' && room(to) === 'sandbox',
  );
  assert.deepEqual(wrong, []);
});

test('each library has one door, so that its traps are fenced in one place', () => {
  const doors: Readonly<Record<string, readonly string[]>> = {
    coap: ['transport/coap/client.ts'],
    conf: ['store/load-conf.ts', 'store/record-pair.ts'],
    winston: ['host/journal.ts'],
    systeminformation: ['host/facts-child.ts'],
    commander: ['cli/program.ts', 'cli/say-commands.ts'],
    'smol-toml': ['config/toml-file.ts'],
  };
  for (const [library, allowed] of Object.entries(doors)) {
    assert.deepEqual(
      offenders(({ from, to }) => to === library && !allowed.includes(from)),
      [],
    );
    assert.ok(
      imports.some(({ to }) => to === library),
      `${library} is used`,
    );
  }
});

test('no sensor can spawn a process', () => {
  assert.deepEqual(
    offenders(({ from, to }) => room(from) === 'sensors' && to.includes('child_process')),
    [],
  );
});

test('timers are started in the clock adapter only, and in what runs beside the agent', () => {
  const free = /^(sandbox\/|cli\/demo|host\/clock\.ts|main\.ts)/;
  const starting = files.filter(
    (file) => !free.test(file) && /\bset(Timeout|Interval)\(/.test(withoutComments(file)),
  );
  assert.deepEqual(starting, []);
});

test(`every file opens by saying what it is for, and stops at ${LINES_MAX} lines`, () => {
  for (const file of files) {
    const lines = readFileSync(join(SOURCES, file), 'utf8')
      .replace(/^#!.*\n/, '')
      .split('\n');
    assert.match(lines[0] ?? '', /^\/\*\*/, file);
    assert.ok(lines.length <= LINES_MAX + 1, `${file} has ${lines.length} lines: which noun is missing?`);
  }
});

function withoutComments(file: string): string {
  return readFileSync(join(SOURCES, file), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*/g, '');
}
