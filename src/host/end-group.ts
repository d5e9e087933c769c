/** The end of a child that has a process group of its own, and of whatever it started. */

import type { ChildProcess } from 'node:child_process';

/** Kills what is left of the group and lets go of it, even if it cannot die (a read that hangs in the kernel). */
export function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left, which is how it should be.
    }
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
