/**
 * Facts about the host: of a board with a device tree from the kernel, of any other by a child process that may hang or fail
 * without harm to the agent.
 *
 * The child is this program again with the hidden command `facts` (facts-child.ts), at low priority, with
 * PATH and the C locale as its whole environment. `gather` never rejects; if the child fails, it returns the
 * basic facts alone.
 */

import { logEvent } from '../../core/events/catalogue.ts';
import { isJsonObject } from '../../core/model/json-object.ts';
import { deliverable, type Values } from '../../core/model/reading.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { HostFacts } from '../../core/ports/sensors.ts';
import { DEFAULT_PATH, runProgram } from '../process/run-program.ts';
import { readBasicFacts } from './basic-facts.ts';
import { readDeviceTreeFacts } from './device-tree-facts.ts';
import { CHILD_KEYS } from './facts-child.ts';
import { factText } from './facts-text.ts';

export interface FactsOptions {
  readonly nodePath: string;
  /** The agent's own main.js, started as `node main.js facts`. */
  readonly mainPath: string;
  readonly agentVersion: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
  /** Default: `/`. For tests. */
  readonly root?: string;
  /** Default 20 s: a desktop needs 0.2 s, a small board that is still booting much longer. */
  readonly deadlineMs?: number;
}

export function createFacts(options: FactsOptions): HostFacts {
  return {
    async gather(signal) {
      const basic = readBasicFacts(options.agentVersion);
      const board = readDeviceTreeFacts(options.root ?? '/');
      if (board) return { ...basic, ...deliverable(board) };
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
  const { nodePath, mainPath, clock, deadlineMs = DEADLINE_MS } = options;
  const program = {
    command: nodePath,
    arguments: [mainPath, 'facts'],
    environment: { PATH: process.env['PATH'] ?? DEFAULT_PATH, LC_ALL: 'C' },
    deadlineMs,
    outputBytesMax: OUTPUT_BYTES_MAX,
    errorLine: 'none',
    niceness: LOW_PRIORITY,
  } as const;
  const result = await runProgram(program, clock, signal);
  return result.ok
    ? parseFacts(result.output.toString('utf8'))
    : { ok: false, problem: `the facts process ${result.problem}` };
}

function parseFacts(output: string): ChildResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch {
    return { ok: false, problem: 'the facts process did not print JSON' };
  }
  if (!isJsonObject(parsed)) return { ok: false, problem: 'the facts process did not print a JSON object' };
  const fields = new Map<string, unknown>(Object.entries(parsed));
  const facts = CHILD_KEYS.map((key) => [key, factText(fields.get(key), `${key} `)] as const);
  return { ok: true, facts: deliverable(Object.fromEntries(facts)) };
}
