/** `firstlight doctor --bundle` after a real run: its contents, and that it contains no secret in any encoding. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';
import { COMPILED_MAIN } from '../../paths.ts';

const provisioning = { key: 'the-key', secret: 's3cret/+ of=this&profile' };
const FORGOTTEN = 'aside%token+of~1234';
const TORN = 'tornTokenOf1234567890';

function toml(coapPort: number): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`.replace(
    '"k"',
    `"${provisioning.key}"`,
  );
}

/** Plain, URL-encoded in three ways, and Base64 at each of three offsets, without the characters that depend on their neighbours. */
function formsOf(secret: string): readonly string[] {
  const inBase64 = [0, 1, 2].flatMap((before) => {
    const whole = Buffer.from(`${'x'.repeat(before)}${secret}xx`).toString('base64');
    const inner = whole.slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + Buffer.byteLength(secret)) * 8) / 6),
    );
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const percent = encodeURIComponent(secret);
  const form = new URLSearchParams({ a: secret }).toString().slice(2);
  const small = percent.replace(/%../g, (code) => code.toLowerCase());
  return [secret, percent, small, form, ...inBase64];
}

/** Resolves when the agent is online; limited by the time-out of the test. */
async function isOnline(runtime: string): Promise<void> {
  for (;;) {
    await using status = AgentProcess.run(['status', '--runtime', runtime]);
    if ((await status.exit()) === 0) return;
  }
}

/** The text of every file below, with its path and the targets of links. */
async function everything(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const)),
  );
}

test('a bundle of a real run is complete and contains no secret in any encoding', {
  timeout: 120_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const [state, file] = [join(place.path, 'state'), await place.config(toml(sandbox.coapPort))];
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state], {
    RUNTIME_DIRECTORY: place.path,
  });
  await agent.line('first telemetry accepted');
  await isOnline(place.path);
  const token = sandbox.devices()[0]?.token ?? '';
  assert.ok(token.length >= 20);
  for (const [why, text] of [
    ['forgotten', JSON.stringify({ version: 1, token: FORGOTTEN })],
    ['bad', `{"version":1,"token":"${TORN}`],
  ])
    await writeFile(join(state, `credentials.aside-2026-11-26T00-00-00.000Z-${why}.json`), text ?? '');
  // A journal to which another program has logged every secret in every encoding.
  const leaks = [provisioning.secret, token, FORGOTTEN, TORN].flatMap(formsOf);
  const journal = [...agent.output, ...leaks.map((form) => `leak >${form}<`)].join('\n');
  const bin = join(place.path, 'bin');
  await mkdir(bin);
  await writeFile(join(place.path, 'journal.txt'), journal);
  await writeFile(join(bin, 'journalctl'), `#!/bin/sh\nexec cat '${place.path}/journal.txt'\n`, {
    mode: 0o755,
  });
  const bundle = join(place.path, 'bundle.tar.gz');
  const places = ['--config', file, '--state', state, '--runtime', place.path];
  const doctor = () =>
    AgentProcess.run(
      ['doctor', '--bundle', bundle, ...places],
      { PATH: `${bin}:${process.env['PATH']}` },
      [],
      COMPILED_MAIN,
    );
  await using first = doctor();
  assert.equal(await first.exit(), 0, first.output.join('\n'));
  assert.equal((await stat(bundle)).mode & 0o777, 0o600);

  const unpacked = join(place.path, 'unpacked');
  await mkdir(unpacked);
  assert.equal(spawnSync('tar', ['-C', unpacked, '-xzf', bundle]).status, 0);
  const texts = await everything(unpacked);
  const of = (name: string) => [...texts].find(([path]) => path.endsWith(`/${name}`))?.[1] ?? '';
  for (const form of leaks)
    for (const [path, text] of texts)
      assert.ok(!text.includes(form) && !path.includes(form), `${path}: ${form}`);
  assert.match(of('journal.txt'), /first telemetry accepted/);
  assert.equal(of('journal.txt').match(/^leak >.*\*\*\*.*<$/gm)?.length, leaks.length);
  assert.equal(JSON.parse(of('status.json')).state, 'online');
  assert.ok(JSON.parse(of('doctor.json')).checks.length > 10);
  assert.match(of('doctor.txt'), / token +the server accepts it/);
  assert.match(of('config.txt'), /provisioning\.secret +\*\*\*/);
  assert.match(of('versions.txt'), /^node v\d+/m);
  assert.match(of('proc/uptime'), /^\d/);
  const output = first.output.filter((line) => /^(included|omitted): /.test(line)).join('\n');
  for (const name of ['status.json', 'journal.txt', 'host/'])
    assert.ok(output.includes(`included: ${name}`), output);
  assert.doesNotMatch(output, /left out/);

  await using second = doctor();
  assert.equal(await second.exit(), 73);
  assert.match(second.output.join('\n'), /already exists/);
  assert.deepEqual(
    (await readdir(place.path)).filter((name) => name.endsWith('.part')),
    [],
  );
  assert.equal(await agent.stop(), 0);
});

test('missing parts are listed, and an invalid configuration reveals no secret', {
  timeout: 60_000,
}, async () => {
  await using place = await tempDir();
  const secret = 'of-a-broken-file-1234';
  const file = await place.config(
    `[server]\nurl = "mqtt://u:pass5678@x"\n[provisioning]\nsecret = "${secret}"\n`,
  );
  const [bin, bundle] = [join(place.path, 'bin'), join(place.path, 'b.tar.gz')];
  await mkdir(bin);
  await writeFile(join(bin, 'journalctl'), `#!/bin/sh\necho no such journal >&2\nexit 1\n`, { mode: 0o755 });
  const places = ['--config', file, '--state', join(place.path, 'none'), '--runtime', place.path];
  await using doctor = AgentProcess.run(
    ['doctor', '--bundle', bundle, ...places],
    { PATH: `${bin}:${process.env['PATH']}` },
    [],
    COMPILED_MAIN,
  );
  assert.equal(await doctor.exit(), 0, doctor.output.join('\n'));
  assert.match(doctor.output.join('\n'), /omitted: journal\.txt: journalctl no such journal/);
  const text = spawnSync('tar', ['-xzOf', bundle], { encoding: 'latin1' }).stdout;
  for (const each of [secret, 'pass5678']) assert.ok(!text.includes(each), each);
});
