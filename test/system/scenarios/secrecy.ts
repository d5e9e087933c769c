/**
 * Looks for secrets where a user without root rights could read them: the journal, the output of systemctl,
 * command lines of processes, and every file that user nobody can read.
 */

import type { Machine } from '../machine.ts';

/** The root file system and the file systems in memory. */
const SEARCHED = ['/', '/run', '/tmp', '/dev/shm'];

/** Returns a sentence for each secret that is visible, by the name of the secret. */
export async function secretLeaks(
  machine: Machine,
  secrets: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const readable: Readonly<Record<string, string>> = {
    'the journal': 'journalctl --no-pager -o export',
    'systemctl status': 'systemctl status firstlight.service --no-pager --full -n 1000',
    'systemctl show': 'systemctl show firstlight.service',
    'a command line': 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"',
  };
  const leaks: string[] = [];
  for (const [place, command] of Object.entries(readable)) {
    const { out } = await machine.sh(command);
    for (const [what, secret] of Object.entries(secrets))
      if (out.includes(secret)) leaks.push(`the ${what} is in ${place}`);
  }
  for (const [what, secret] of Object.entries(secrets)) {
    const { out } = await machine.run([
      ...['runuser', '-u', 'nobody', '--', 'find', ...SEARCHED, '-xdev', '-type', 'f', '-readable'],
      ...['-exec', 'grep', '-lF', '-e', secret, '{}', '+'],
    ]);
    for (const file of out.split('\n').filter((path) => path.startsWith('/')))
      leaks.push(`user nobody can read the ${what} in ${file}`);
  }
  return leaks;
}
