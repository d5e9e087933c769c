/**
 * Where a secret can be seen by somebody who is not root: the journal, what systemctl prints, the command lines of processes, every file
 * that user nobody may read.
 */

import type { Machine } from '../machine.ts';

export async function whereItLeaks(
  machine: Machine,
  secrets: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const shown: Readonly<Record<string, string>> = {
    'the journal': 'journalctl --no-pager -o export',
    'systemctl status': 'systemctl status firstlight.service --no-pager --full -n 1000',
    'systemctl show': 'systemctl show firstlight.service',
    'a command line': 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"',
  };
  const leaks: string[] = [];
  for (const [where, line] of Object.entries(shown)) {
    const { out } = await machine.sh(line);
    for (const [what, secret] of Object.entries(secrets))
      if (out.includes(secret)) leaks.push(`the ${what} is in ${where}`);
  }
  for (const [what, secret] of Object.entries(secrets)) {
    const { out } = await machine.run([
      ...[
        'runuser',
        '-u',
        'nobody',
        '--',
        'find',
        '/',
        '/run',
        '/tmp',
        '/dev/shm',
        '-xdev',
        '-type',
        'f',
        '-readable',
      ],
      ...['-exec', 'grep', '-lF', '-e', secret, '{}', '+'],
    ]);
    for (const file of out.split('\n').filter((path) => path.startsWith('/')))
      leaks.push(`user nobody can read the ${what} in ${file}`);
  }
  return leaks;
}
