/**
 * Causes faults with real processes: status, log, doctor and exit code must name the cause, and no output may
 * contain a secret.
 */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StatusJson } from '../../src/cli/status/json.ts';
import { AgentProcess, tempDir } from '../app/agent-process.ts';
import { type Fault, type FaultSetup, SECRET, TOKEN } from './fault.ts';
import { missingNeed } from './needs.ts';
import { diagnosis, statusExit } from './table.ts';

/** The verb of an action, at the beginning of a remedy or of a further part of it. */
const VERBS =
  'allow|assign|change|check|choose|compare|copy|correct|delete|enable|free|give|have|install|list|move|raise|remove|renew|restore|run|set|set up|shorten|stop';
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

/** Starts the agent with the fault, and runs the other commands under the same conditions. */
async function applyFault(fault: Fault) {
  const place = await tempDir();
  const [path, state, runtime] = [place.path, join(place.path, 'state'), join(place.path, 'run')];
  await mkdir(runtime);
  const closing: (() => unknown)[] = [];
  const file = await place.config('');
  const created = await fault.make({ path, state, runtime, later: (close) => void closing.push(close) });
  const { config, within, environment, meanwhile }: FaultSetup =
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
      const options = ['--config', file, '--state', state, '--runtime', runtime];
      return (JSON.parse(await output('doctor', '--json', ...options)) as { checks: Checked[] }).checks;
    },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      outputs.push(...agent.output);
      for (const close of closing) await close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** For a gateway that stays online, the count of the event is enough: its line may be long ago. */
function namesCause(
  { retry, openEvents, recentEvents, reasons, eventCounts, exitCode }: StatusJson,
  fault: Fault,
): boolean {
  const { event, message = '', online, isEarly } = fault;
  if (online) return (eventCounts[event] ?? 0) > 0 && exitCode === 0;
  if (isEarly) return (eventCounts[event] ?? 0) > 0 && exitCode === statusExit(fault);
  const logged = [retry, ...openEvents, ...recentEvents].find((each) => each?.event === event);
  const line = reasons.find((each) => each.startsWith(`${event}: `)) ?? (logged && JSON.stringify(logged));
  return line?.includes(message) === true && exitCode === statusExit(fault);
}

function defineTests(faults: readonly Fault[]): void {
  for (const fault of faults) {
    it(fault.name, { timeout: 240_000, skip: missingNeed(fault.needs) }, async ({ signal }) => {
      await using at = await applyFault(fault);
      signal.addEventListener('abort', () => at.agent.kill('SIGKILL'), { once: true });
      if (at.meanwhile) {
        // Earlier, the time-out of a request in flight would come first.
        await at.agent.line('event=FL-ATTRIBUTES-ACCEPTED');
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
      const result = (await at.doctor()).find(({ check }) => check === fault.doctor);
      assert.equal(result?.status, 'fail', `${fault.doctor}: ${JSON.stringify(result)}`);
      assert.ok(result?.observed.includes(fault.doctorText ?? ''), result?.observed);
      assert.match(result?.action ?? '', REMEDY);
    });
  }
}

/** Causes each fault, several at once. */
export function testFaults(faults: readonly Fault[]): void {
  describe('a fault', { concurrency: 2 }, () => {
    describe('that needs a time-out is named', { concurrency: SLOW_AT_ONCE }, () =>
      defineTests(faults.filter(({ isSlow }) => isSlow)),
    );
    describe('is named', { concurrency: AT_ONCE }, () => defineTests(faults.filter(({ isSlow }) => !isSlow)));

    after(() => {
      const all = outputs.join('\n');
      const forms = [SECRET, TOKEN].flatMap((secret) => [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      ]);
      for (const form of forms) assert.ok(!all.includes(form), 'an output contains a secret');
    });
  });

  describe('the faults of one event', () => {
    it('the log lines distinguish the faults of one event', () => {
      for (const [fault, line] of lines) {
        const others = [...lines.keys()].filter(
          (other) => other !== fault && other.event === fault.event && diagnosis(other) !== diagnosis(fault),
        );
        for (const { name, message, doctorText } of others)
          if (doctorText === undefined)
            assert.ok(message !== undefined && !line.includes(message), `${name}: ${line}`);
      }
    });
  });
}
