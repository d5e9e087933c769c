/** Kills a child that has its own process group, with every process it started. */

import type { ChildProcess } from 'node:child_process';
import { errorCode } from '../../core/model/error-code.ts';

/** Also releases the child's handles, so that a process that cannot die (a read that hangs in the kernel) holds up nothing. */
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
 * The kernel does not reuse the number of a group that has members. So if a process has it after the child has ended, the
 * group is empty and the number belongs to another process.
 */
function isPidReused(
  { exitCode, signalCode }: Pick<ChildProcess, 'exitCode' | 'signalCode'>,
  pid: number,
): boolean {
  return (exitCode !== null || signalCode !== null) && signalProcess(pid, 0);
}

/** Whether a process or group with that number exists. */
function signalProcess(pid: number, signal: 'SIGKILL' | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return errorCode(error) !== 'ESRCH';
  }
}
