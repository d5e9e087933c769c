/**
 * `npm run test:arm`: the packaged program on armhf and arm64, run by qemu-user with the nodejs of Debian 13: `--version`,
 * `sample`, and provisioning with the sandbox, which runs natively. Then the DTLS helper, compiled by the gcc of that Debian and
 * run against its own tests.
 *
 * Takes about five minutes, most of it for the two root file systems, which stay in /var/tmp. Without root, mmdebstrap or
 * qemu-user-static it is skipped with the reason and exits with 0. `--only armhf` tests one of the two.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { COMPILER_PACKAGES, compileEmulated } from './lib/compile-emulated.mjs';
import { root } from './lib/prepare.mjs';

const MACHINES = [
  {
    name: 'armhf',
    emulator: 'qemu-arm-static',
    triple: 'arm-linux-gnueabihf',
    loader: '/lib/ld-linux-armhf.so.3',
  },
  {
    name: 'arm64',
    emulator: 'qemu-aarch64-static',
    triple: 'aarch64-linux-gnu',
    loader: '/lib/ld-linux-aarch64.so.1',
  },
];
const HELPER_SUITES = ['frames', 'certificates', 'attacks', 'libcoap'];
const CACHE = '/var/tmp';
const EMULATED_MS_MAX = 90_000;
const KEY = 'key-of-the-arm-test';
const SECRET = 'secret-of-the-arm-test';

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });
const reason = whyNot();
if (reason !== undefined) {
  console.log(`SKIPPED: ${reason}`);
  process.exit(0);
}

const directory = mkdtempSync(join(tmpdir(), 'firstlight-arm-'));
const program = join(directory, 'package', 'root', 'usr', 'lib', 'firstlight', 'firstlight.mjs');
let failures = 0;
try {
  must(process.execPath, [join(root, 'scripts', 'package.mjs'), '--output', directory]);
  for (const machine of MACHINES.filter(({ name }) => name === (options.only ?? name))) await test(machine);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

function whyNot() {
  const tools = ['mmdebstrap', 'tar', 'dpkg-deb', ...MACHINES.map(({ emulator }) => emulator)];
  const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  if (absent.length > 0)
    return `${absent.join(', ')} not installed: run apt install mmdebstrap qemu-user-static`;
  return process.getuid?.() === 0 ? undefined : 'mmdebstrap needs root';
}

async function test(machine) {
  const { name, emulator } = machine;
  const system = unpacked(name);
  // The emulator runs node only.
  const emulated = [emulator, '-L', system, join(system, 'usr/bin/node'), program];
  const report = (what, isGood, detail) => {
    if (!isGood) failures += 1;
    console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name} ${what}: ${detail.trim()}`);
  };
  const once = (...words) => {
    const [command, ...rest] = [...emulated, ...words];
    return spawnSync(command, rest, { encoding: 'utf8', timeout: EMULATED_MS_MAX });
  };
  const version = once('--version');
  report('--version', version.status === 0, version.stdout || version.stderr);
  const sample = once('sample', '--json');
  const values = sample.status === 0 ? Object.keys(JSON.parse(sample.stdout).values) : [];
  report('sample', values.includes('uptimeS'), `${values.length} values ${sample.stderr}`);
  const accepted = await provisioned(emulated, join(directory, `state-${name}`));
  report('provisioning', accepted, accepted ? 'first telemetry accepted' : 'no telemetry accepted');
  testHelper({ ...machine, system }, report);
}

/** The tests run natively, and only the helper under the emulator. */
function testHelper(machine, report) {
  const place = join(directory, `helper-${machine.name}`);
  mkdirSync(place);
  const helper = compileEmulated({ ...machine, directory: place });
  const { stdout: version } = spawnSync(helper, ['--version'], { encoding: 'utf8' });
  report('DTLS helper --version', version.startsWith('firstlight-dtls '), version);
  const tests = HELPER_SUITES.map((suite) =>
    join(root, 'dist', 'test', 'transport', 'dtls', 'helper', `${suite}.test.js`),
  );
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...tests], {
    encoding: 'utf8',
    env: { ...process.env, FIRSTLIGHT_DTLS: helper },
  });
  const figures = stdout.match(/^(# (tests|pass|fail|skipped) \d+| +not ok .*)$/gm);
  report('DTLS helper', status === 0, figures.join(' '));
}

/** nodejs and gcc with their dependencies, unpacked but not configured, because no program of the other architecture runs for that. */
function unpacked(name) {
  const tar = join(CACHE, `firstlight-trixie-gcc-${name}.tar`);
  if (!existsSync(tar)) {
    console.log(`creating the root file system of ${name} …`);
    const part = `${tar}.part.tar`;
    // The main suite is enough for nodejs, and only one index that may be inconsistent.
    const source = 'deb http://deb.debian.org/debian trixie main';
    must('mmdebstrap', [
      '-q',
      '--variant=extract',
      `--architectures=${name}`,
      `--include=${['nodejs', ...COMPILER_PACKAGES].join(',')}`,
      'trixie',
      part,
      source,
    ]);
    renameSync(part, tar);
  }
  const system = join(directory, name);
  mkdirSync(system);
  must('tar', ['-xf', tar, '-C', system, '--exclude=./dev/*']);
  // base-files would have created it.
  if (!existsSync(join(system, 'lib'))) symlinkSync('usr/lib', join(system, 'lib'));
  return system;
}

async function provisioned([emulator, ...emulated], state) {
  const ports = ['--coap-port', '0', '--http-port', '0', '--admin-port', '0'];
  const pair = ['--key', KEY, '--secret', SECRET];
  const sandbox = spawn(process.execPath, [program, 'sandbox', ...ports, ...pair, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let agent;
  try {
    const { coapPort } = JSON.parse((await lineOf(sandbox, /^\{/)) ?? '{}');
    agent = spawn(emulator, [...emulated, 'run', '--state', state], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        FIRSTLIGHT_SERVER_URL: `coap://127.0.0.1:${coapPort}`,
        FIRSTLIGHT_SERVER_SPREAD: '0s',
        FIRSTLIGHT_PROVISIONING_KEY: KEY,
        FIRSTLIGHT_PROVISIONING_SECRET: SECRET,
        FIRSTLIGHT_CLOCK_TRUST: 'system',
      },
    });
    return (await lineOf(agent, /event=FL-TELEMETRY-STARTED\b/)) !== undefined;
  } finally {
    agent?.kill('SIGKILL');
    sandbox.kill('SIGKILL');
  }
}

/** The first line that matches; undefined if the program exits or the time is over. */
async function lineOf(child, pattern) {
  const timer = setTimeout(() => child.kill('SIGKILL'), EMULATED_MS_MAX);
  try {
    for await (const line of createInterface({ input: child.stdout })) if (pattern.test(line)) return line;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function must(command, commandLine) {
  const { status } = spawnSync(command, commandLine, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} failed`);
}
