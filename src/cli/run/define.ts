/** `firstlight run`: options and help. */

import type { Command } from 'commander';
import type { RunOptions } from '../../app/run.ts';
import type { CommandHost } from '../ui/command-host.ts';

export function defineRun(program: Command, { run, finish }: CommandHost): void {
  program
    .command('run')
    .description(
      'run the agent: provision if there are no credentials, then report the sensors until stopped; SIGHUP reloads the configuration',
    )
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', 'state directory (default: $STATE_DIRECTORY, else /var/lib/firstlight)')
    .addHelpText('after', '\nExample: firstlight run --config gateway.toml --state ./state')
    .action((options: RunOptions) => finish(run(options)));
}
