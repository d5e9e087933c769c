/** Every fault of faults.ts, by real processes: status, journal, doctor and the exit code name the cause, and no secret is in any of them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StatusAnswer } from '../../src/cli/status-answer.ts';
import { EVENTS, halvesOf } from '../../src/core/events.ts';
import { AgentProcess, workshop } from '../cli/agent-process.ts';
import { FAULTS, type Fault, SECRET, TOKEN } from './faults.ts';

/** What a person can do. */
const REMEDY = /\b(check|compare|correct|delete|free|move|raise|set|stop)\b/;
const outputs: string[] = [];

async function said(commandLine: readonly string[]): Promise<string> {
  await using command = AgentProcess.run(commandLine);
  await command.exit();
  outputs.push(...command.output);
  return command.output.join('\n');
}

async function brokenBy(fault: Fault) {
  const place = await workshop();
  const [state, runtime] = [join(place.path, 'state'), join(place.path, 'run')];
  await mkdir(runtime);
  const closing: (() => unknown)[] = [];
  const file = await place.config('');
  await writeFile(file, await fault.make({ state, later: (close) => void closing.push(close) }));
  const agent = AgentProcess.run(['run', '--config', file, '--state', state], { RUNTIME_DIRECTORY: runtime });
  const close = async () => {
    await agent[Symbol.asyncDispose]();
    outputs.push(...agent.output);
    for (const each of closing) await each();
    await place[Symbol.asyncDispose]();
  };
  return {
    agent,
    places: ['--config', file, '--state', state, '--runtime', runtime],
    runtime,
    [Symbol.asyncDispose]: close,
  };
}

function namesIt({ retry, open, events, why }: StatusAnswer, { event }: Fault): boolean {
  const told = [retry, ...open, ...events].some((each) => each?.event === event);
  return told || why.some((each) => each.startsWith(`${event}:`));
}

describe('a fault is named', { concurrency: 4 }, () => {
  for (const fault of FAULTS) {
    it(fault.name, { timeout: 120_000 }, async () => {
      await using at = await brokenBy(fault);
      const line = await at.agent.line(`event=${fault.event}`);
      // A line of the configuration names its place and what is allowed; what to do is the event's.
      assert.match(fault.event === 'FL-CONFIG-INVALID' ? EVENTS[fault.event].sentence : line, REMEDY);
      if (fault.exit !== undefined) assert.equal(await at.agent.exit(), fault.exit);
      for (;;) {
        const answer = JSON.parse(await said(['status', '--json', '--runtime', at.runtime])) as StatusAnswer;
        if (!namesIt(answer, fault)) continue;
        const { level } = EVENTS[fault.event];
        assert.equal(answer.exitCode, fault.exit !== undefined ? 3 : level === 'error' ? 2 : 1);
        break;
      }
      const doctor = await said(['doctor', '--json', ...at.places]);
      if (fault.doctor === undefined) return;
      const { checks } = JSON.parse(doctor) as { checks: { check: string; mark: string; todo?: string }[] };
      const found = checks.find(({ check }) => check === fault.doctor);
      assert.equal(found?.mark, 'cross', `${fault.doctor}: ${JSON.stringify(found)}`);
      assert.match(found?.todo ?? '', REMEDY);
    });
  }

  after(() => {
    const all = outputs.join('\n');
    const forms = [SECRET, TOKEN].flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ]);
    for (const form of forms) assert.ok(!all.includes(form), 'a secret is in an output');
  });
});

it('the table of faults is that of README.md', () => {
  const rows = FAULTS.map(
    ({ name, event, exit, doctor, same }) =>
      `| ${name} | \`${event}\`${same ? ` (${same})` : ''} | ${doctor ?? '–'} | ${exit ?? 'runs on'} |`,
  );
  const readme = readFileSync(join(process.cwd(), 'test', 'faults', 'README.md'), 'utf8');
  for (const row of rows) assert.ok(readme.includes(row), row);
});

it('two faults with one diagnosis say why', () => {
  const seen = new Set<string>();
  for (const { name, event, same } of FAULTS) {
    assert.ok(!seen.has(event) || same, `${name}: ${event} ${halvesOf(EVENTS[event].sentence).cause}`);
    seen.add(event);
  }
});
