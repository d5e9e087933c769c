/** The commands that say how things are: their options and help. What they do is loaded when one is chosen. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from './ui/terminal.ts';

export interface CommandHost {
  readonly environment: NodeJS.ProcessEnv;
  /** The terminal that stdout is, opened when a command wants it. */
  readonly terminal: () => Promise<Terminal>;
  readonly input: NodeJS.ReadStream;
  readonly out: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  readonly finish: (outcome: Promise<number>) => Promise<void>;
}

export function defineDiagnosticCommands(program: Command, host: CommandHost): void {
  defineStatus(program, host);
  defineDoctor(program, host);
  defineConfig(program, host);
  defineCredentials(program, host);
}

function defineDoctor(program: Command, { environment, terminal, finish }: CommandHost): void {
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
      provisionSeconds,
    )
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', 'state directory (default: /var/lib/firstlight)')
    .option('--runtime <dir>', 'runtime directory (default: $RUNTIME_DIRECTORY, else /run/firstlight)')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing wrong, 1 something is; with --bundle 0 written, 73 not; 130 stopped\n\nExample: sudo firstlight doctor --provision',
    )
    .action(async (options: import('./doctor/checks.ts').DoctorOptions) => {
      const { doctorCommand } = await import('./doctor/command.ts');
      await finish(doctorCommand(options, environment, await terminal()));
    });
}

function provisionSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 5 && value <= 900) return value;
  throw new InvalidArgumentError('give 5 to 900 seconds.');
}

function defineConfig(program: Command, { environment, out, finish }: CommandHost): void {
  const host = { environment, out };
  const config = program.command('config').description('what the configuration says; shows no secret');
  config
    .command('check')
    .description('tell every problem of the configuration at once; exit 78 if there is one')
    .argument('[file]', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .addHelpText('after', '\nExample: firstlight config check gateway.toml')
    .action(async (file: string | undefined) => {
      const { checkConfig } = await import('./config/command.ts');
      await finish(Promise.resolve(checkConfig(file === undefined ? {} : { config: file }, host)));
    });
  config
    .command('show')
    .description('each value that counts, and where it comes from')
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample: firstlight config show')
    .action(async (options: import('./config/command.ts').ConfigOptions) => {
      const { showConfig } = await import('./config/command.ts');
      await finish(Promise.resolve(showConfig(options, host)));
    });
  config
    .command('explain')
    .description('all about one setting')
    .argument('<key>', 'such as telemetry.interval')
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .addHelpText('after', '\nExample: firstlight config explain clock.trust')
    .action(async (key: string, options: import('./config/command.ts').ConfigOptions) => {
      const { explainConfig } = await import('./config/command.ts');
      await finish(Promise.resolve(explainConfig(key, options, host)));
    });
}

function defineCredentials(program: Command, { environment, input, out, finish, signal }: CommandHost): void {
  const host = { environment, console: { input, out } };
  const state = ['--state <dir>', 'state directory (default: /var/lib/firstlight)'] as const;
  const credentials = program
    .command('credentials')
    .description('what the gateway is known by on its server; never shows the token');
  credentials
    .command('show')
    .description('state, device, server, age, board; not the token')
    .option(...state)
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample: sudo firstlight credentials show')
    .action(async (options: import('./credentials/command.ts').CredentialsOptions) => {
      const { showCredentials } = await import('./credentials/command.ts');
      await finish(showCredentials(options, host));
    });
  credentials
    .command('forget')
    .description('let the next start provision anew; what is forgotten is kept aside')
    .option(...state)
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample: sudo firstlight credentials forget')
    .action(async (options: import('./credentials/command.ts').CredentialsOptions) => {
      const { forgetCredentials } = await import('./credentials/command.ts');
      await finish(forgetCredentials(options, host, signal));
    });
  credentials
    .command('set')
    .description('store the access token of a device that is on the server already')
    .requiredOption('--token-file <file>', 'a file that holds the token and nothing else')
    .option(...state)
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .addHelpText('after', '\nExample: sudo firstlight credentials set --token-file /root/token')
    .action(async (options: import('./credentials/command.ts').CredentialsOptions) => {
      const { setCredentials } = await import('./credentials/command.ts');
      await finish(setCredentials(options, host, signal));
    });
}

function defineStatus(program: Command, { environment, terminal, finish }: CommandHost): void {
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
    .action(async (options: import('./status/command.ts').StatusOptions) => {
      const { statusCommand } = await import('./status/command.ts');
      await finish(statusCommand(options, environment, await terminal()));
    });
}
