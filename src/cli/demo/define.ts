/** `firstlight demo`: options and help. */

import { type Command, InvalidArgumentError } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

export function defineDemo(program: Command, { out, signal, finish }: CommandHost): void {
  program
    .command('demo')
    .description('run the sandbox and the agent together on this host')
    .option(
      '--seconds <n>',
      'stop after this many seconds; exit code 0 only if telemetry was stored',
      parseSeconds,
    )
    .option('--state <dir>', 'store the state here instead of in a temporary directory')
    .addHelpText('after', '\nExample: firstlight demo --seconds 15')
    .action(async (options: import('./command.ts').DemoOptions) => {
      const { demoCommand } = await import('./command.ts');
      await finish(demoCommand(options, out, signal));
    });
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 1 && value <= 86_400) return value;
  throw new InvalidArgumentError('must be 1 to 86400 seconds.');
}
