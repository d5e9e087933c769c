/** The end of a child that has a process group of its own, and of whatever it started. */

import type { ChildProcess } from 'node:child_process';
import { errorCode } from '../../core/model/error-code.ts';

/** Kills what is left of the group and lets go of it, even if it cannot die (a read that hangs in the kernel). */
export function killGroup(
  child: Pick<ChildProcess, 'pid' | 'exitCode' | 'signalCode' | 'stdout' | 'stderr' | 'unref'>,
): void {
  const { pid } = child;
  if (pid !== undefined && !isPidReused(child, pid)) signalProcess(-pid, 'SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}

/**
 * Whether the number is another process's by now. The kernel gives it to nobody while somebody is in the group; so where a
 * process has it after the child has ended, none is left of the group, and the one of this number is not ours.
 */
function isPidReused(
  { exitCode, signalCode }: Pick<ChildProcess, 'exitCode' | 'signalCode'>,
  pid: number,
): boolean {
  return (exitCode !== null || signalCode !== null) && signalProcess(pid, 0);
}

/** Whether there is somebody of that number. */
function signalProcess(pid: number, signal: 'SIGKILL' | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // EPERM: there is, and he is not ours.
    return errorCode(error) !== 'ESRCH';
  }
}
