/**
 * The bundle needs nothing but Node, starts with the same flags everywhere, and the agent loads only the
 * parts that it needs.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../../src/app/node-flags.ts';
import { VERSION } from '../../src/app/version.ts';
import { COMPILED_MAIN } from '../paths.ts';

const run = promisify(execFile);
/** A directory that contains only the bundle, without any node_modules above it. */
const alone = mkdtempSync(join(tmpdir(), 'firstlight-bundle-'));
const bundle = join(alone, 'firstlight.mjs');
const metafile = join(alone, 'metafile.json');

/** The entries that `firstlight run` loads with CoAP and stored credentials. */
const LOADED_BY_RUN = [
  'src/main.ts',
  'src/app/run.ts',
  'src/transport/coap/transport.ts',
  'node_modules/conf/dist/source/index.js',
];
/** V8 keeps the source text while the agent runs. 700 kB on 2026-11-30, with settings and commands of the server. */
const LOADED_BYTES_MAX = 760_000;
/** Each file costs about 0.5 ms at start, and memory. 28 on 2026-11-30, two of them shared with coaps, one with the CoAP library. */
const LOADED_FILES_MAX = 28;

/** The used part of the metafile of esbuild. */
interface Part {
  readonly entryPoint?: string;
  readonly bytes: number;
  readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[];
  readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
}

before(async () => {
  const { stdout } = await run(process.execPath, [
    'scripts/bundle.mjs',
    '--outfile',
    bundle,
    '--metafile',
    metafile,
  ]);
  assert.match(stdout, /\d+ kB/, 'the script prints the size');
});

after(() => rmSync(alone, { recursive: true, force: true }));

function firstlight(...commandLine: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [...NODE_FLAGS, bundle, ...commandLine], { cwd: alone });
}

test('the bundle without node_modules prints its version', async () => {
  assert.equal((await firstlight('--version')).stdout.trim(), VERSION);
});

test('the bundle without node_modules reads the sensors of this host', async () => {
  const { stdout, stderr } = await firstlight('sample', '--json');
  assert.equal(stderr, '');
  assert.equal(typeof JSON.parse(stdout).values.uptimeS, 'number');
});

test('the bundle without node_modules provisions, delivers and logs its stop', async () => {
  const { stdout } = await firstlight('demo', '--seconds', '8');
  assert.match(stdout, /event=FL-PROVISIONING-COMPLETED/);
  assert.match(stdout, /event=FL-TELEMETRY-STARTED/);
  assert.match(stdout, /event=FL-AGENT-STOPPED/);
});

test('the bundle reads the same host facts as the compiled program with all of systeminformation', async () => {
  const compiled = await run(process.execPath, [COMPILED_MAIN, 'facts']);
  assert.deepEqual(JSON.parse((await firstlight('facts')).stdout), JSON.parse(compiled.stdout));
});

test('the bundle contains no library that no command needs', () => {
  for (const file of readdirSync(alone, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.mjs')) continue;
    const bytes = readFileSync(join(alone, file));
    for (const library of ['readable-stream/lib', 'ajv/dist', '@so-ric/colorspace', 'semver', '@colors']) {
      assert.ok(!bytes.includes(`node_modules/${library}`), `${library} in ${file}`);
    }
    assert.ok(
      bytes.every((byte) => byte < 128),
      `a non-ASCII character in ${file}: V8 may keep the text at twice the size`,
    );
  }
});

test('the agent loads no other command and none of their libraries', () => {
  const foreign =
    /^src\/(cli|sandbox|doctor|image|transport\/http)\/|\/(commander|systeminformation|@colors|logform\/(?!printf)[^/]*)\//;
  const inputs = loadedByRun().flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  assert.ok(inputs.includes('src/agent/agent.ts'), 'the metafile covers the agent');
  assert.deepEqual(
    inputs.filter((file) => foreign.test(file)),
    [],
  );
});

test('the agent loads few files and bytes', () => {
  const loaded = loadedByRun();
  const bytes = loaded.reduce((sum, part) => sum + part.bytes, 0);
  assert.ok(bytes <= LOADED_BYTES_MAX, `${bytes} bytes`);
  assert.ok(loaded.length <= LOADED_FILES_MAX, `${loaded.length} files`);
});

test('the agent loads no Node module that CoAP and its files do not need', () => {
  const costly =
    /require\("(?:node:)?(http|https|http2|tls|assert|perf_hooks|readline|worker_threads|cluster|inspector)"\)/g;
  const required = loadedByRun().flatMap(({ path }) => [
    ...readFileSync(join(alone, path), 'utf8').matchAll(costly),
  ]);
  assert.deepEqual(
    required.map(([, name]) => name),
    [],
  );
});

/** The files that `firstlight run` loads, with their static imports; `path` is relative to the bundle. */
function loadedByRun(): (Part & { readonly path: string })[] {
  const { outputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { outputs: Record<string, Part> };
  const loadedPaths = new Set<string>();
  const load = (path: string): void => {
    if (loadedPaths.has(path)) return;
    loadedPaths.add(path);
    for (const { path: to, kind, external } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && !external) load(to);
  };
  for (const entry of LOADED_BY_RUN) {
    const path = Object.keys(outputs).find((each) => outputs[each]?.entryPoint === entry);
    assert.ok(path, `${entry} must be an entry that is loaded on demand`);
    load(path);
  }
  const directory = Object.keys(outputs).find((path) => path.endsWith('/firstlight.mjs')) ?? '';
  return [...loadedPaths].flatMap((path) => {
    const part = outputs[path];
    return part ? [{ ...part, path: relative(dirname(directory), path) }] : [];
  });
}

test('the systemd unit starts node with the flags of the demo', () => {
  const unit = readFileSync('systemd/firstlight.service', 'utf8');
  const command = /^ExecStart=(.+)$/m.exec(unit)?.[1];
  assert.equal(
    command,
    ['/usr/bin/node', ...NODE_FLAGS, '/usr/lib/firstlight/firstlight.mjs', 'run'].join(' '),
  );
});
