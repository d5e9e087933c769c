/** Programs of the operator, really run: output, failures, environment, and that no process remains. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { ProgramSensor } from '../../../src/core/model/custom-sensor.ts';
import type { PollResult } from '../../../src/core/sampling/polling.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { createProgramSensor } from '../../../src/host/custom/program-sensor.ts';
import { until } from '../../until.ts';

const never = new AbortController().signal;
const LONG_TIMEOUT_MS = 30_000;
/** For programs that must exceed their time-out. */
const SHORT_TIMEOUT_MS = 1000;

it('JSON, key=value lines and a bare number become values under the sensor’s name', async (t) => {
  const fixture = new ProgramFixture(t);
  assert.deepEqual(await fixture.run(`echo '{"flow_temp": 61.5, "pump": true}'`), {
    ok: true,
    values: { boilerFlowTemp: 61.5, boilerPump: true },
    problem: undefined,
  });
  assert.deepEqual(await fixture.run('echo flow=1; echo state=heating'), {
    ok: true,
    values: { boilerFlow: 1, boilerState: 'heating' },
    problem: undefined,
  });
  assert.deepEqual(await fixture.run('echo 42'), { ok: true, values: { boiler: 42 }, problem: undefined });
});

it('the output of a program is read as UTF-8', async (t) => {
  const result = await new ProgramFixture(t).run('echo state=wärmt');
  assert.deepEqual(result.ok && result.values, { boilerState: 'wärmt' });
});

it('a program gets its arguments unchanged, without a shell', async (t) => {
  const result = await new ProgramFixture(t).run('echo "count=$#"; echo "first=$1"', {
    args: ['$(id) `id` *; a', ''],
  });
  assert.deepEqual(result.ok && result.values, { boilerCount: 2, boilerFirst: '$(id) `id` *; a' });
});

it('a program gets PATH and LANG only, no input, and / as its directory', async (t) => {
  const fixture = new ProgramFixture(t);
  const secrets = [
    'NOTIFY_SOCKET',
    'CREDENTIALS_DIRECTORY',
    'FIRSTLIGHT_PROVISIONING_SECRET',
    'STATE_DIRECTORY',
  ];
  const before = { ...process.env };
  t.after(() => {
    for (const name of secrets) delete process.env[name];
    Object.assign(process.env, before);
  });
  for (const name of secrets) process.env[name] = 'hush-8f3a';
  const output = fixture.path('output');
  await fixture.run(
    `tr '\\0' '\\n' < /proc/self/environ > ${output}; cat >> ${output}; pwd >> ${output}; ls -l /proc/self/fd > ${output}.fd`,
  );
  const lines = readFileSync(output, 'utf8').trim().split('\n');
  assert.equal(lines.at(-1), '/');
  const variables = lines.slice(0, -1).map((line) => line.split('=', 1)[0]);
  assert.deepEqual(variables.toSorted(), ['LANG', 'PATH']);
  assert.doesNotMatch(readFileSync(output, 'utf8'), /hush/);
  assert.match(readFileSync(`${output}.fd`, 'utf8'), / 0 -> \/dev\/null/);
});

it('a program runs at the lowest priority', async (t) => {
  const result = await new ProgramFixture(t).run('sleep 0.2; echo "nice=$(nice)"');
  assert.deepEqual(result.ok && result.values, { boilerNice: 19 });
});

for (const [what, script, problem] of [
  ['garbage', 'echo oops', /^\S+ prints "oops", which is neither JSON nor key=value$/],
  ['nothing', 'true', /prints nothing$/],
  ['a non-zero exit', 'exit 3', /ended with status 3$/],
  ['a non-zero exit with an error text', 'echo flow=1; echo a >&2; echo no bus >&2; exit 1', /^\S+ no bus$/],
  ['a signal', 'kill -TERM $$', /ended with SIGTERM$/],
  ['more than 16 KiB', 'head -c 20000 /dev/zero', /printed more than 16384 bytes$/],
  ['a gigabyte', 'yes flow=1 | head -c 1000000000', /printed more than 16384 bytes$/],
  ['a built-in key', 'echo load1=1', /printed boilerLoad1, which is a built-in key$/],
] as const) {
  it(`a sensor program fails with a problem after ${what}`, async (t) => {
    const result = await new ProgramFixture(t).run(script);
    assert.match(result.ok ? JSON.stringify(result) : result.problem, problem);
    assert.equal(result.ok, false);
  });
}

it('a program may print any amount to its standard error', async (t) => {
  const result = await new ProgramFixture(t).run('head -c 300000000 /dev/zero >&2; echo >&2; echo flow=1');
  assert.deepEqual(result.ok && result.values, { boilerFlow: 1 });
});

it('a missing or non-executable program is reported with a remedy', async (t) => {
  const fixture = new ProgramFixture(t);
  const missing = await fixture.readSensor({ command: [fixture.path('gone')] });
  assert.match(
    problemOf(missing),
    /gone does not exist, or the interpreter in its first line does not: check the path in command/,
  );
  writeFileSync(fixture.path('unreadable'), '#!/bin/sh\n', { mode: 0o644 });
  assert.match(
    problemOf(await fixture.readSensor({ command: [fixture.path('unreadable')] })),
    /cannot be executed: check its mode/,
  );
  assert.match(problemOf(await fixture.readSensor({ command: [tmpdir()] })), /cannot be executed/);
});

it('a hanging program is killed at its time-out, with the processes it started', {
  timeout: 60_000,
}, async (t) => {
  const fixture = new ProgramFixture(t);
  const result = await fixture.run(`sleep 600 & echo $! > ${fixture.path('pid')}; echo flow=1; wait`, {
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assert.match(
    problemOf(result),
    /did not finish within 1000 ms and was killed: make it faster, or raise timeout/,
  );
  await fixture.hasExited('pid');
});

it('a grandchild that holds the output is killed at the time-out', {
  timeout: 60_000,
}, async (t) => {
  const fixture = new ProgramFixture(t);
  const result = await fixture.run(`sleep 600 & echo $! > ${fixture.path('pid')}; echo flow=1`, {
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assert.match(problemOf(result), /left a process running that kept its output open for more than 1000 ms/);
  await fixture.hasExited('pid');
});

it('a grandchild without the output is killed when the program ends, values are kept', {
  timeout: 20_000,
}, async (t) => {
  const fixture = new ProgramFixture(t);
  const result = await fixture.run(
    `sleep 600 >/dev/null 2>&1 & echo $! > ${fixture.path('pid')}; echo flow=1`,
  );
  assert.deepEqual(result.ok && result.values, { boilerFlow: 1 });
  await fixture.hasExited('pid');
});

it('a program that closes its output early is awaited until its time-out', {
  timeout: 60_000,
}, async (t) => {
  const fixture = new ProgramFixture(t);
  const result = await fixture.run('echo flow=1; exec 1>&- 2>&-; sleep 0.3');
  assert.deepEqual(result.ok && result.values, { boilerFlow: 1 });
  const hanging = await fixture.run(`echo $$ > ${fixture.path('pid')}; exec 1>&- 2>&-; sleep 600`, {
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assert.match(problemOf(hanging), /did not finish within 1000 ms/);
  await fixture.hasExited('pid');
});

it('a running program is killed when the agent stops', { timeout: 60_000 }, async (t) => {
  const fixture = new ProgramFixture(t);
  const stop = new AbortController();
  const running = fixture.run(`echo $$ > ${fixture.path('pid')}; sleep 600`, {}, stop.signal);
  await until(() => existsSync(fixture.path('pid')) && fixture.read('pid') !== '');
  stop.abort();
  assert.equal((await running).ok, false);
  await fixture.hasExited('pid');
});

it('a sensor program reports the selected keys only', async (t) => {
  const result = await new ProgramFixture(t).readSensor(
    { command: ['/bin/echo', '{"flow": 1, "pump": 2, "x": 3}'], keys: ['flow', 'pump'] },
    never,
    (key) => key !== 'boilerPump',
  );
  assert.deepEqual(result, { ok: true, values: { boilerFlow: 1 }, problem: undefined });
});

function problemOf(result: PollResult): string {
  return result.ok ? 'no problem' : result.problem;
}

/** A directory with the program under test in it. */
class ProgramFixture {
  readonly #directory = mkdtempSync(join(tmpdir(), 'firstlight-program-'));

  constructor(t: TestContext) {
    t.after(() => rmSync(this.#directory, { recursive: true, force: true }));
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8').trim();
  }

  /** Runs this shell script as the sensor `boiler`. */
  run(
    script: string,
    {
      args = [],
      timeoutMs = LONG_TIMEOUT_MS,
    }: { readonly args?: readonly string[]; readonly timeoutMs?: number } = {},
    signal: AbortSignal = never,
  ): Promise<PollResult> {
    writeFileSync(this.path('program'), `#!/bin/sh\n${script}\n`);
    chmodSync(this.path('program'), 0o755);
    return this.readSensor({ command: [this.path('program'), ...args], timeoutMs }, signal);
  }

  readSensor(
    sensor: Pick<ProgramSensor, 'command'> & Partial<ProgramSensor>,
    signal: AbortSignal = never,
    isSelectedKey: (key: string) => boolean = () => true,
  ): Promise<PollResult> {
    const isTaken = (key: string) => key === 'boilerLoad1';
    const programSensor: ProgramSensor = {
      kind: 'exec',
      name: 'boiler',
      everyMs: 60_000,
      timeoutMs: LONG_TIMEOUT_MS,
      ...sensor,
    };
    return createProgramSensor(programSensor, { clock: hostClock(), isTaken, isSelectedKey }).read(signal);
  }

  /** Resolves when the process whose pid is in that file has ended, or is a zombie. */
  async hasExited(name: string): Promise<void> {
    const status = `/proc/${this.read(name)}/stat`;
    while (existsSync(status) && !/\) [ZX] /.test(readFileSync(status, 'latin1')))
      await new Promise(setImmediate);
  }
}
