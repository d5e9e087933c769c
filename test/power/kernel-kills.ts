/**
 * Kills by the count of the kernel: the agent runs under strace, which kills it when it enters its N-th call
 * of one kind, before the call.
 *
 * strace counts per kind of call and per thread. So first only the main thread is followed, which makes all
 * synchronous file calls and all network calls; then all threads, for the asynchronous file calls, which one
 * thread of the pool makes here. `write` is left out: it carries log lines and wake-ups between threads,
 * never the state (which is written with pwrite).
 */

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../src/core/model/error-code.ts';
import type { Experiment } from './experiment.ts';
import { DELIVERED, type Gateway } from './gateway.ts';
import type { Outcome } from './report.ts';

const CALLS = [
  ...['mkdir', 'pwrite64', 'fsync', 'fdatasync', 'chmod', 'rename', 'renameat2', 'unlink', 'ftruncate'],
  ...['socket', 'bind', 'listen', 'connect', 'sendto', 'sendmsg', 'sendmmsg', 'recvmsg', 'recvmmsg'],
];
const BOOTS_WITHIN_MS = 120_000;

export interface KernelCall {
  readonly thread: 'main' | 'pool';
  readonly call: string;
  /** Which of its kind in its thread, from 1. */
  readonly nth: number;
}

/** Why strace cannot be used here; undefined if it can. */
export function straceProblem(): string | undefined {
  try {
    execFileSync('strace', ['-o', '/dev/null', '-e', 'inject=fsync:signal=KILL:when=1', 'true'], {
      stdio: 'ignore',
    });
    return undefined;
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT';
    return missing ? 'strace is not installed' : 'strace cannot trace here (ptrace is not permitted)';
  }
}

/** The system calls of an undisturbed first boot up to its first telemetry. */
export async function kernelCallsOfAFirstBoot(experiment: Experiment): Promise<readonly KernelCall[]> {
  await using gateway = await experiment.gateway('gw-traced');
  const log = join(experiment.path, 'trace');
  await using boot = gateway.start(straceOptions(log, ['-f']));
  const result = await boot.waitFor([DELIVERED], BOOTS_WITHIN_MS);
  if (result !== DELIVERED)
    throw new Error(`an undisturbed boot under strace did not deliver: ${result}\n${boot.lines.join('\n')}`);
  return callsIn(await readFile(log, 'utf8'));
}

/**
 * `another`: another thread reached its N-th call of that kind first. `none`: the gateway delivered before.
 */
export interface KernelOutcome extends Outcome {
  readonly hit: 'this' | 'another' | 'none';
}

/** Kills one boot at `call`; the next one runs undisturbed. */
export async function killAtKernelCall(
  experiment: Experiment,
  name: string,
  { thread, call, nth }: KernelCall,
): Promise<KernelOutcome> {
  await using gateway = await experiment.gateway(name);
  const kill = ['-e', `inject=${call}:signal=KILL:when=${nth}`];
  const log = join(experiment.path, `${name}-trace`);
  await using boot = gateway.start(straceOptions(log, thread === 'main' ? kill : ['-f', ...kill]));
  const result = await boot.waitFor([DELIVERED], BOOTS_WITHIN_MS);
  await boot.kill();
  const target = `${thread} thread, ${call} ${nth}`;
  const last = callsIn(await readFile(log, 'utf8')).at(-1);
  const isThis = thread === 'main' || last?.thread === thread;
  const hit = result !== 'ended' ? 'none' : isThis ? 'this' : 'another';
  const what =
    result === 'ended' ? `killed at ${target}` : `killed when delivered (${result}), before ${target}`;
  const situation = gateway.situation();
  return { what, hit, situation, problems: gateway.problems(await gateway.recover()) };
}

function straceOptions(log: string, options: readonly string[]): Parameters<Gateway['start']>[0] {
  return {
    under: ['strace', '-qq', '-o', log, '-e', `trace=${CALLS.join(',')}`, ...options],
    environment: { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' },
  };
}

/**
 * Lines are `1234  rename("…", "…") = 0`; a call interrupted by another thread has two, of which the first
 * counts.
 */
function callsIn(trace: string): KernelCall[] {
  const counts = new Map<string, number>();
  const lines = trace.split('\n').map((line) => /^(\d+) +(\w+)\(/.exec(line));
  const mainThread = lines.find((line) => line?.[2] === 'socket')?.[1];
  return lines.flatMap((line) => {
    if (!line) return [];
    const [, id = '', call = ''] = line;
    const nth = (counts.get(id + call) ?? 0) + 1;
    counts.set(id + call, nth);
    return [{ thread: id === mainThread ? 'main' : 'pool', call, nth }];
  });
}
