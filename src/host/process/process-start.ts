/** When a process started: what tells it from a later one with the same pid. */

import { readFileSync } from 'node:fs';

/** Clock ticks since the boot (proc_pid_stat(5), field 22); undefined where there is no such process. */
export function processStart(pid: number | 'self'): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, may hold anything, also blanks and brackets: what follows its last bracket is regular.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[22 - 3]);
    return Number.isSafeInteger(ticks) ? ticks : undefined;
  } catch {
    return undefined;
  }
}
