/** Faults brought about by real processes: status, journal, doctor and the exit code name the cause, and no secret is in any of them. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StatusJson } from '../../src/cli/status/json.ts';
import { AgentProcess, tempDir } from '../app/agent-process.ts';
import { type Broken, type Fault, SECRET, TOKEN } from './fault.ts';
import { missingNeed } from './needs.ts';
import { diagnosis, statusExit } from './table.ts';

/** What a person can do, as the beginning of a remedy or of a further part of it. */
const VERBS =
  'change|check|choose|compare|copy|correct|delete|enable|free|give|have|install|list|move|raise|renew|restore|run|set|set up|shorten|stop';
export const REMEDY = new RegExp(`(^|[,;:] |if it lasts, |: if .*, |; where .*, )(${VERBS}) `);
const AT_ONCE = 4;
const SLOW_AT_ONCE = 8;
const outputs: string[] = [];
const lines = new Map<Fault, string>();

interface Checked {
  readonly check: string;
  readonly status: string;
  readonly observed: string;
  readonly action?: string;
}

/** The agent with a fault, and the other commands in the same circumstances. */
async function applyFault(fault: Fault) {
  const place = await tempDir();
  const [path, state, runtime] = [place.path, join(place.path, 'state'), join(place.path, 'run')];
  await mkdir(runtime);
  const closing: (() => unknown)[] = [];
  const file = await place.config('');
  const created = await fault.make({ path, state, runtime, later: (close) => void closing.push(close) });
  const { config, within, environment, meanwhile }: Broken =
    typeof created === 'string' ? { config: created } : created;
  await writeFile(file, config);
  const run = (commandLine: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    AgentProcess.run(commandLine, { ...environment, ...more }, within);
  const agent = run(['run', '--config', file, '--state', state], { RUNTIME_DIRECTORY: runtime });
  const output = async (...commandLine: readonly string[]): Promise<string> => {
    await using command = run(commandLine);
    await command.exit();
    outputs.push(...command.output);
    return command.output.join('\n');
  };
  return {
    agent,
    meanwhile,
    status: async () => JSON.parse(await output('status', '--json', '--runtime', runtime)) as StatusJson,
    doctor: async () => {
      const places = ['--config', file, '--state', state, '--runtime', runtime];
      return (JSON.parse(await output('doctor', '--json', ...places)) as { checks: Checked[] }).checks;
    },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      outputs.push(...agent.output);
      for (const close of closing) await close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** What a gateway that goes on has told long ago is still counted. */
function namesCause(
  { retry, openEvents: open, recentEvents: events, reasons: why, eventCounts: counts, exitCode }: StatusJson,
  fault: Fault,
): boolean {
  const { event, message: says = '', online } = fault;
  if (online) return (counts[event] ?? 0) > 0 && exitCode === 0;
  const logged = [retry, ...open, ...events].find((each) => each?.event === event);
  const line = why.find((each) => each.startsWith(`${event}: `)) ?? (logged && JSON.stringify(logged));
  return line?.includes(says) === true && exitCode === statusExit(fault);
}

function named(faults: readonly Fault[]): void {
  for (const fault of faults) {
    it(fault.name, { timeout: 240_000, skip: missingNeed(fault.needs) }, async ({ signal }) => {
      await using at = await applyFault(fault);
      signal.addEventListener('abort', () => at.agent.kill('SIGKILL'), { once: true });
      if (at.meanwhile) {
        // Until then a request may be under way, whose own patience would come first.
        await at.agent.line('client attributes accepted');
        await at.meanwhile(at.agent);
      }
      const line = await at.agent.line(`event=${fault.event}`);
      lines.set(fault, line);
      if (fault.message !== undefined) assert.ok(line.includes(fault.message), line);
      if (fault.exit !== undefined) assert.equal(await at.agent.exit(), fault.exit);
      let answer = await at.status();
      for (let tries = 0; tries < 100 && !namesCause(answer, fault); tries += 1) answer = await at.status();
      assert.ok(namesCause(answer, fault), JSON.stringify(answer, undefined, 1));
      if (fault.doctor === undefined) return;
      const found = (await at.doctor()).find(({ check }) => check === fault.doctor);
      assert.equal(found?.status, 'fail', `${fault.doctor}: ${JSON.stringify(found)}`);
      assert.ok(found?.observed.includes(fault.doctorText ?? ''), found?.observed);
      assert.match(found?.action ?? '', REMEDY);
    });
  }
}

/** Brings each about, several at once. */
export function testFaults(faults: readonly Fault[]): void {
  describe('a fault', { concurrency: 2 }, () => {
    describe('that takes its time is named', { concurrency: SLOW_AT_ONCE }, () =>
      named(faults.filter(({ isSlow }) => isSlow)),
    );
    describe('is named', { concurrency: AT_ONCE }, () => named(faults.filter(({ isSlow }) => !isSlow)));

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

  describe('the faults that were brought about', () => {
    it('tells faults of one event apart by what was really seen', () => {
      for (const [fault, line] of lines) {
        const others = [...lines.keys()].filter(
          (other) => other !== fault && other.event === fault.event && diagnosis(other) !== diagnosis(fault),
        );
        for (const { name, message: says, doctorText: doctorSays } of others)
          if (doctorSays === undefined)
            assert.ok(says !== undefined && !line.includes(says), `${name}: ${line}`);
      }
    });
  });
}
