/**
 * Facts about the host, gathered by a child process that may hang or lie without harm to the agent.
 *
 * The child is this program again with the hidden command `facts` (facts-child.ts), at low priority, in a process group of its
 * own. It has a deadline and 64 KiB to say what it knows; beyond either the whole group is killed, df and all. It gets a
 * path and a locale of our environment and nothing else, so no credential can reach it. Whatever happens, `gather` answers, at worst
 * with the cheap facts, and never rejects.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { logEvent } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { isJsonObject } from '../../core/model/json-object.ts';
import { deliverable, type Values } from '../../core/model/reading.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { HostFacts } from '../../core/ports/sensors.ts';
import { killGroup } from '../process/kill-group.ts';
import { basicFacts } from './basic-facts.ts';
import { CHILD_KEYS } from './facts-child.ts';
import { factText } from './facts-text.ts';

export interface FactsOptions {
  readonly nodePath: string;
  /** Our own main.js, started as `node main.js facts`. */
  readonly mainPath: string;
  readonly agentVersion: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
  /** Default 20 s: on a desktop it takes 0.2 s, on a small board that is still booting much longer. */
  readonly deadlineMs?: number;
}

export function createFacts(options: FactsOptions): HostFacts {
  return {
    async gather(signal) {
      const basic = basicFacts(options.agentVersion);
      const result = await runChild(options, signal);
      if (result.ok) return { ...basic, ...result.facts };
      if (!signal.aborted) {
        logEvent(options.log, 'FL-HARDWARE-FACTS-FAILED', { reason: result.problem });
      }
      return basic;
    },
  };
}

const DEADLINE_MS = 20_000;
const OUTPUT_BYTES_MAX = 64 * 1024;
const LOW_PRIORITY = 10;

type ChildResult =
  | { readonly ok: true; readonly facts: Values }
  | { readonly ok: false; readonly problem: string };

async function runChild(options: FactsOptions, signal: AbortSignal): Promise<ChildResult> {
  if (signal.aborted) return { ok: false, problem: 'stopping' };
  const cancel = new AbortController();
  let child: ChildProcess | undefined;
  try {
    child = start(options);
    const output = readOutput(child);
    const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    const deadline = options.clock
      .sleep(deadlineMs, AbortSignal.any([signal, cancel.signal]))
      .then((): ChildResult => ({ ok: false, problem: `no answer within ${deadlineMs} ms` }));
    return await Promise.race([output, deadline]);
  } catch (error) {
    return { ok: false, problem: errorMessage(error) };
  } finally {
    cancel.abort();
    if (child !== undefined) killGroup(child);
  }
}

function start({ nodePath, mainPath }: FactsOptions): ChildProcess {
  const child = spawn(nodePath, [mainPath, 'facts'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  try {
    if (child.pid !== undefined) setPriority(child.pid, LOW_PRIORITY);
  } catch {
    // It has ended already, or may not be changed: it is short-lived either way.
  }
  return child;
}

function readOutput(child: ChildProcess): Promise<ChildResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    child.on('error', (error) => resolve({ ok: false, problem: error.message }));
    child.stdout?.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > OUTPUT_BYTES_MAX) resolve({ ok: false, problem: `more than ${OUTPUT_BYTES_MAX} bytes` });
      else chunks.push(chunk);
    });
    child.on('close', (code, killSignal) => {
      if (code !== 0) resolve({ ok: false, problem: `ended with ${killSignal ?? `status ${code}`}` });
      else resolve(parseFacts(Buffer.concat(chunks).toString('utf8')));
    });
  });
}

function parseFacts(output: string): ChildResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch {
    return { ok: false, problem: 'the answer is not JSON' };
  }
  if (!isJsonObject(parsed)) return { ok: false, problem: 'the answer is not an object' };
  const fields = new Map<string, unknown>(Object.entries(parsed));
  const facts = CHILD_KEYS.map((key) => [key, factText(fields.get(key), `${key} `)] as const);
  return { ok: true, facts: deliverable(Object.fromEntries(facts)) };
}
