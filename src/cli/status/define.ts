/** `firstlight status`: options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/command-host.ts';

export function defineStatus(program: Command, { environment, terminal, finish }: CommandHost): void {
  program
    .command('status')
    .description('how the agent is, from the file it keeps in memory; for any user, asks no network')
    .option('--json', 'as one JSON object (schema 1)')
    .option('--watch', 'again every two seconds, until Ctrl-C')
    .option('--runtime <dir>', 'runtime directory (default: $RUNTIME_DIRECTORY, else /run/firstlight)')
    .option('--state <dir>', 'state directory, whose lock tells of an agent that keeps no status')
    .addHelpText(
      'after',
      '\nExit codes: 0 online, 1 offline but healthy, 2 something needs a person, 3 not running\n\nExample: firstlight status --watch',
    )
    .action(async (options: import('./command.ts').StatusOptions) => {
      const { statusCommand } = await import('./command.ts');
      await finish(statusCommand(options, environment, await terminal()));
    });
}
