/** `firstlight status`: options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

export function defineStatus(program: Command, { environment, terminal, finish }: CommandHost): void {
  program
    .command('status')
    .description('show the state of the agent; works for any user and without the network')
    .option('--json', 'as one JSON object (schema 2)')
    .option('--watch', 'refresh every 2 seconds until Ctrl-C')
    .option('--runtime <dir>', 'runtime directory (default: $RUNTIME_DIRECTORY, else /run/firstlight)')
    .option(
      '--state <dir>',
      'state directory, to detect an agent that writes no status (default: /var/lib/firstlight)',
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 online, 1 offline but healthy, 2 action needed, 3 not running or unknown\n\nExample: firstlight status --watch',
    )
    .action(async (options: import('./command.ts').StatusOptions) => {
      const { statusCommand } = await import('./command.ts');
      await finish(statusCommand(options, environment, await terminal()));
    });
}
