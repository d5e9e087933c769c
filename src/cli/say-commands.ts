/** The commands that say how things are: their options and help. What they do is loaded when one is chosen. */

import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

export interface CommandHost {
  readonly environment: NodeJS.ProcessEnv;
  /** The terminal that stdout is, opened when a command wants it. */
  readonly terminal: () => Promise<Terminal>;
  readonly finish: (outcome: Promise<number>) => Promise<void>;
}

export function defineSayCommands(program: Command, { environment, terminal, finish }: CommandHost): void {
  program
    .command('status')
    .description('how the agent is, from the file it keeps in memory; for any user, asks no network')
    .option('--json', 'as one JSON object (schema 1)')
    .option('--watch', 'again every two seconds, until Ctrl-C')
    .option('--runtime <dir>', 'runtime directory (default: $RUNTIME_DIRECTORY, else /run/firstlight)')
    .addHelpText(
      'after',
      '\nExit codes: 0 online, 1 offline but healthy, 2 something needs a person, 3 not running\n\nExample: firstlight status --watch',
    )
    .action(async (options: import('./status.ts').StatusOptions) => {
      const { statusCommand } = await import('./status.ts');
      await finish(statusCommand(options, environment, await terminal()));
    });
}
