/** The bundle: it needs Node and nothing beside it, is started the same way everywhere, and the agent loads its own parts of it only. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../../src/app/node-flags.ts';
import { VERSION } from '../../src/app/version.ts';
import { MAIN } from '../paths.ts';

const run = promisify(execFile);
/** An empty directory far from any node_modules; the bundle is all there is in it. */
const alone = mkdtempSync(join(tmpdir(), 'firstlight-bundle-'));
const bundle = join(alone, 'firstlight.mjs');
const account = join(alone, 'metafile.json');

/** What `firstlight run` loads, on CoAP and with credentials to store. */
const LOADED_BY_RUN = [
  'src/main.ts',
  'src/app/run.ts',
  'src/transport/coap/transport.ts',
  'node_modules/conf/dist/source/index.js',
];
/** V8 keeps it for as long as the agent lives. 517 kB on 2026-11-26; all of the bundle is 923 kB. */
const LOADED_BYTES_MAX = 560_000;
/** Each costs the agent about half a millisecond at start, and memory. 20 on 2026-11-26. */
const LOADED_FILES_MAX = 24;

/** The part of esbuild's account that is used here. */
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
    account,
  ]);
  assert.match(stdout, /\d+ kB/, 'it says its size');
});

after(() => rmSync(alone, { recursive: true, force: true }));

function firstlight(...commandLine: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [...NODE_FLAGS, bundle, ...commandLine], { cwd: alone });
}

test('the bundle alone knows its version', async () => {
  assert.equal((await firstlight('--version')).stdout.trim(), VERSION);
});

test('the bundle alone reads the sensors of this host', async () => {
  const { stdout, stderr } = await firstlight('sample', '--json');
  assert.equal(stderr, '');
  assert.equal(typeof JSON.parse(stdout).values.uptimeS, 'number');
});

test('the bundle alone provisions, stores its credentials, delivers, and stops without losing its last line', async () => {
  const { stdout } = await firstlight('demo', '--seconds', '4');
  assert.match(stdout, /provisioned: token stored/);
  assert.match(stdout, /first telemetry accepted/);
  assert.match(stdout, /firstlight stopped/);
});

test('what the bundle leaves out of systeminformation is not missed: it knows the same facts as the compiled program', async () => {
  const compiled = await run(process.execPath, [MAIN, 'facts']);
  assert.deepEqual(JSON.parse((await firstlight('facts')).stdout), JSON.parse(compiled.stdout));
});

test('what no command needs is not in the bundle', () => {
  for (const file of readdirSync(alone, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.mjs')) continue;
    const bytes = readFileSync(join(alone, file));
    for (const library of ['readable-stream/lib', 'ajv/dist', '@so-ric/colorspace', 'semver', '@colors']) {
      assert.ok(!bytes.includes(`node_modules/${library}`), `${library} in ${file}`);
    }
    assert.ok(
      bytes.every((byte) => byte < 128),
      `one character beyond ASCII in ${file}, and V8 may keep the text at twice the size`,
    );
  }
});

test('the agent loads nothing of what it never does: no other command, no library of theirs', () => {
  const strangers =
    /^src\/(cli|sandbox|doctor|image|transport\/http)\/|\/(commander|systeminformation|@colors|logform\/(?!printf)[^/]*)\//;
  const inputs = loadedByRun().flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  assert.ok(inputs.includes('src/agent/agent.ts'), 'the account is of the agent');
  assert.deepEqual(
    inputs.filter((file) => strangers.test(file)),
    [],
  );
});

test('what the agent loads stays small, and in few files', () => {
  const loaded = loadedByRun();
  const bytes = loaded.reduce((sum, part) => sum + part.bytes, 0);
  assert.ok(bytes <= LOADED_BYTES_MAX, `${bytes} bytes`);
  assert.ok(loaded.length <= LOADED_FILES_MAX, `${loaded.length} files`);
});

test('the agent asks Node for no module that its road or its files do not need', () => {
  const costly =
    /require\("(?:node:)?(http|https|http2|tls|assert|perf_hooks|readline|worker_threads|cluster|inspector)"\)/g;
  const asked = loadedByRun().flatMap(({ path }) => [
    ...readFileSync(join(alone, path), 'utf8').matchAll(costly),
  ]);
  assert.deepEqual(
    asked.map(([, name]) => name),
    [],
  );
});

/** With what each of them imports before it begins; `path` below the bundle's directory. */
function loadedByRun(): (Part & { readonly path: string })[] {
  const { outputs } = JSON.parse(readFileSync(account, 'utf8')) as { outputs: Record<string, Part> };
  const found = new Set<string>();
  const load = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: to, kind, external } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && !external) load(to);
  };
  for (const entry of LOADED_BY_RUN) {
    const path = Object.keys(outputs).find((each) => outputs[each]?.entryPoint === entry);
    assert.ok(path, `${entry} is loaded when it is needed, and by nothing before`);
    load(path);
  }
  const directory = Object.keys(outputs).find((path) => path.endsWith('/firstlight.mjs')) ?? '';
  return [...found].flatMap((path) => {
    const part = outputs[path];
    return part ? [{ ...part, path: relative(dirname(directory), path) }] : [];
  });
}

test('the systemd unit starts node with the flags the demo uses', () => {
  const unit = readFileSync('systemd/firstlight.service', 'utf8');
  const command = /^ExecStart=(.+)$/m.exec(unit)?.[1];
  assert.equal(
    command,
    ['/usr/bin/node', ...NODE_FLAGS, '/usr/lib/firstlight/firstlight.mjs', 'run'].join(' '),
  );
});
