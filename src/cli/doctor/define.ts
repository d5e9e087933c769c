/** `firstlight doctor`: options and help. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandHost } from '../ui/command-host.ts';

export function defineDoctor(program: Command, { environment, terminal, finish }: CommandHost): void {
  program
    .command('doctor')
    .description('look at each step of the way to the server: what was seen, what it means, what to do')
    .option('--json', 'as one JSON object (schema 1)')
    .addOption(
      new Option(
        '--bundle [file]',
        'also write what a support case needs, without a secret, to this tar.gz',
      ).conflicts('json'),
    )
    .option('--telemetry', 'also post a test value, firstlightDoctorTest')
    .option(
      '--provision [seconds]',
      'first get in as the agent does at its first boot, which creates the device, and store the token for it; for at most so long (5 to 900, default: 60)',
      parseProvisionSeconds,
    )
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', 'state directory (default: /var/lib/firstlight)')
    .option('--runtime <dir>', 'runtime directory (default: $RUNTIME_DIRECTORY, else /run/firstlight)')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing wrong, 1 something is; with --bundle 0 written, 73 not; 130 stopped\n\nExample: sudo firstlight doctor --provision',
    )
    .action(async (options: import('./checks.ts').DoctorOptions) => {
      const { doctorCommand } = await import('./command.ts');
      await finish(doctorCommand(options, environment, await terminal()));
    });
}

function parseProvisionSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 5 && value <= 900) return value;
  throw new InvalidArgumentError('give 5 to 900 seconds.');
}
