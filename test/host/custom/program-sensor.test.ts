/** An operator's programs, for real: what they print, how they fail, what they get to see, and that nothing of them is left. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { ProgramSensor } from '../../../src/core/model/custom-sensor.ts';
import type { PollResult } from '../../../src/core/sampling/polling.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { createProgramSensor } from '../../../src/host/custom/program-sensor.ts';

const never = new AbortController().signal;
const LONG_TIMEOUT_MS = 30_000;
/** For what must run into its time-out. */
const SHORT_TIMEOUT_MS = 1000;

it('JSON, lines and a number alone are values under the name of the sensor', async (t) => {
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

it('text is UTF-8', async (t) => {
  const result = await new ProgramFixture(t).run('echo state=wärmt');
  assert.deepEqual(result.ok && result.values, { boilerState: 'wärmt' });
});

it('arguments arrive as they are, without a shell', async (t) => {
  const result = await new ProgramFixture(t).run('echo "count=$#"; echo "first=$1"', {
    args: ['$(id) `id` *; a', ''],
  });
  assert.deepEqual(result.ok && result.values, { boilerCount: 2, boilerFirst: '$(id) `id` *; a' });
});

it('the environment is a path and a language, the input is empty, the directory is the root', async (t) => {
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
  const seen = fixture.path('seen');
  await fixture.run(
    `tr '\\0' '\\n' < /proc/self/environ > ${seen}; cat >> ${seen}; pwd >> ${seen}; ls -l /proc/self/fd > ${seen}.fd`,
  );
  const lines = readFileSync(seen, 'utf8').trim().split('\n');
  assert.equal(lines.at(-1), '/');
  const variables = lines.slice(0, -1).map((line) => line.split('=', 1)[0]);
  assert.deepEqual(variables.toSorted(), ['LANG', 'PATH']);
  assert.doesNotMatch(readFileSync(seen, 'utf8'), /hush/);
  assert.match(readFileSync(`${seen}.fd`, 'utf8'), / 0 -> \/dev\/null/);
});

it('it runs at the lowest priority, where the system allows it', async (t) => {
  const result = await new ProgramFixture(t).run('sleep 0.2; echo "nice=$(nice)"');
  assert.deepEqual(result.ok && result.values, { boilerNice: 19 });
});

for (const [what, script, problem] of [
  ['garbage', 'echo oops', /^\S+ prints "oops", which is neither JSON nor key=value$/],
  ['nothing', 'true', /prints nothing$/],
  ['a non-zero exit', 'exit 3', /ended with status 3$/],
  [
    'a non-zero exit with a complaint: its last line',
    'echo flow=1; echo a >&2; echo no bus >&2; exit 1',
    /^\S+ no bus$/,
  ],
  ['a signal', 'kill -TERM $$', /ended with SIGTERM$/],
  ['more than 16 KiB', 'head -c 20000 /dev/zero', /printed more than 16384 bytes$/],
  ['a gigabyte', 'yes flow=1 | head -c 1000000000', /printed more than 16384 bytes$/],
  ['a key of the agent’s own', 'echo load1=1', /printed boilerLoad1, which is a built-in key$/],
] as const) {
  it(`${what} is no values and one sentence`, async (t) => {
    const result = await new ProgramFixture(t).run(script);
    assert.match(result.ok ? JSON.stringify(result) : result.problem, problem);
    assert.equal(result.ok, false);
  });
}

it('a gigabyte of complaints costs nothing but its time', async (t) => {
  const result = await new ProgramFixture(t).run('head -c 300000000 /dev/zero >&2; echo >&2; echo flow=1');
  assert.deepEqual(result.ok && result.values, { boilerFlow: 1 });
});

it('a program that is not there or may not be run is told with what to do', async (t) => {
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

it('one that hangs is killed at its time-out, with what it has started', { timeout: 60_000 }, async (t) => {
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

it('one that ends while a grandchild holds its output is ended at its time-out, and the grandchild with it', {
  timeout: 60_000,
}, async (t) => {
  const fixture = new ProgramFixture(t);
  const result = await fixture.run(`sleep 600 & echo $! > ${fixture.path('pid')}; echo flow=1`, {
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assert.match(problemOf(result), /left a process running that kept its output open for more than 1000 ms/);
  await fixture.hasExited('pid');
});

it('what one leaves running without its output is ended with it, and costs its values nothing', {
  timeout: 20_000,
}, async (t) => {
  const fixture = new ProgramFixture(t);
  const result = await fixture.run(
    `sleep 600 >/dev/null 2>&1 & echo $! > ${fixture.path('pid')}; echo flow=1`,
  );
  assert.deepEqual(result.ok && result.values, { boilerFlow: 1 });
  await fixture.hasExited('pid');
});

it('one that closes its output early and ends later is waited for, and one that never ends is killed', {
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

it('one that is under way when the agent stops is killed', { timeout: 60_000 }, async (t) => {
  const fixture = new ProgramFixture(t);
  const stop = new AbortController();
  const running = fixture.run(`echo $$ > ${fixture.path('pid')}; sleep 600`, {}, stop.signal);
  while (!existsSync(fixture.path('pid')) || fixture.read('pid') === '') await new Promise(setImmediate);
  stop.abort();
  assert.equal((await running).ok, false);
  await fixture.hasExited('pid');
});

it('only what is wanted is reported', async (t) => {
  const result = await new ProgramFixture(t).readSensor(
    { command: ['/bin/echo', '{"flow": 1, "pump": 2, "x": 3}'], keys: ['flow', 'pump'] },
    never,
    (key) => key !== 'boilerPump',
  );
  assert.deepEqual(result, { ok: true, values: { boilerFlow: 1 }, problem: undefined });
});

function problemOf(result: PollResult): string {
  return result.ok ? 'it was read' : result.problem;
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
    isWanted: (key: string) => boolean = () => true,
  ): Promise<PollResult> {
    const isTaken = (key: string) => key === 'boilerLoad1';
    const whole: ProgramSensor = {
      kind: 'exec',
      name: 'boiler',
      everyMs: 60_000,
      timeoutMs: LONG_TIMEOUT_MS,
      ...sensor,
    };
    return createProgramSensor(whole, { clock: hostClock(), isTaken, isSelectedKey: isWanted }).read(signal);
  }

  /** Resolves when the process of that file is no more, or only its entry in the table is. */
  async hasExited(name: string): Promise<void> {
    const status = `/proc/${this.read(name)}/stat`;
    while (existsSync(status) && !/\) [ZX] /.test(readFileSync(status, 'latin1')))
      await new Promise(setImmediate);
  }
}
