/** `firstlight doctor`: options and help. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

export function defineDoctor(program: Command, { environment, terminal, finish }: CommandHost): void {
  program
    .command('doctor')
    .description(
      'check each step from this host to the server; show what was observed, what it means and what to do',
    )
    .option('--json', 'as one JSON object (schema 2)')
    .addOption(
      new Option(
        '--bundle [file]',
        'also write a support bundle without secrets to this tar.gz file',
      ).conflicts('json'),
    )
    .option('--telemetry', 'also send a test value with the key firstlightDoctorTest')
    .option(
      '--provision [seconds]',
      'first provision as the agent does at its first boot, which creates the device and stores its token; wait at most this long (5 to 900, default: 60)',
      parseProvisionSeconds,
    )
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', 'state directory (default: /var/lib/firstlight)')
    .option('--runtime <dir>', 'runtime directory (default: $RUNTIME_DIRECTORY, else /run/firstlight)')
    .addHelpText(
      'after',
      '\nExit codes: 0 all checks passed, 1 a check failed, 130 cancelled; with --bundle 0 written, 73 not written\n\nExample: sudo firstlight doctor --provision',
    )
    .action(async (options: import('./checks.ts').DoctorOptions) => {
      const { doctorCommand } = await import('./command.ts');
      await finish(doctorCommand(options, environment, await terminal()));
    });
}

function parseProvisionSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 5 && value <= 900) return value;
  throw new InvalidArgumentError('must be 5 to 900 seconds.');
}
