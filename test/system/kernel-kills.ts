/**
 * Kills by the kernel's own count: the agent under strace, which kills it as it enters its N-th call of one kind, the call not done.
 *
 * strace counts per kind of call and per thread. So the main thread is followed alone first, where all synchronous file calls and all
 * network calls are; then all threads, for the asynchronous file calls, which are made by one thread of the pool here.
 * `write` is left out: it carries log lines and wake-ups between threads, never the state (which is written with pwrite).
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

/** Why it cannot be done here; undefined when it can. */
export function whyNoStrace(): string | undefined {
  try {
    execFileSync('strace', ['-o', '/dev/null', '-e', 'inject=fsync:signal=KILL:when=1', 'true'], {
      stdio: 'ignore',
    });
    return undefined;
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT';
    return missing ? 'strace is not installed' : 'strace may not trace here (ptrace is not permitted)';
  }
}

/** The calls of an undisturbed first boot up to its first telemetry, as the kernel sees them. */
export async function kernelCallsOfAFirstBoot(experiment: Experiment): Promise<readonly KernelCall[]> {
  await using gateway = await experiment.gateway('gw-traced');
  const log = join(experiment.path, 'trace');
  await using boot = gateway.start(traced(log, ['-f']));
  const seen = await boot.sees([DELIVERED], BOOTS_WITHIN_MS);
  if (seen !== DELIVERED)
    throw new Error(`an undisturbed boot under strace: ${seen}\n${boot.lines.join('\n')}`);
  return callsIn(await readFile(log, 'utf8'));
}

/** `another`: another thread reached its call of that kind and number first, and was killed there. `none`: it delivered before. */
export interface KernelOutcome extends Outcome {
  readonly hit: 'this' | 'another' | 'none';
}

/** Kills one boot at `call`, then lets the next one be. */
export async function killAtKernelCall(
  experiment: Experiment,
  name: string,
  { thread, call, nth }: KernelCall,
): Promise<KernelOutcome> {
  await using gateway = await experiment.gateway(name);
  const kill = ['-e', `inject=${call}:signal=KILL:when=${nth}`];
  const log = join(experiment.path, `${name}-trace`);
  await using boot = gateway.start(traced(log, thread === 'main' ? kill : ['-f', ...kill]));
  const seen = await boot.sees([DELIVERED], BOOTS_WITHIN_MS);
  await boot.kill();
  const wanted = `${thread} thread, ${call} ${nth}`;
  const last = callsIn(await readFile(log, 'utf8')).at(-1);
  const isThis = thread === 'main' || last?.thread === thread;
  const hit = seen !== 'ended' ? 'none' : isThis ? 'this' : 'another';
  const what = seen === 'ended' ? `killed at ${wanted}` : `killed when delivered (${seen}), before ${wanted}`;
  const standing = gateway.standing();
  return { what, hit, standing, problems: gateway.problems(await gateway.recover()) };
}

function traced(log: string, given: readonly string[]): Parameters<Gateway['start']>[0] {
  return {
    under: ['strace', '-qq', '-o', log, '-e', `trace=${CALLS.join(',')}`, ...given],
    environment: { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' },
  };
}

/** Lines are `1234  rename("…", "…") = 0`; a call another thread interrupted comes in two, of which the first counts. */
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
