/**
 * The command line: every command with its options and help, by commander. What they do is loaded when one is chosen.
 *
 * The man page and the completion are made from this tree (scripts/lib/commands.mjs). main.ts loads it for whatever
 * is not the plain `run` of the service.
 */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EX_OK, EX_USAGE } from '../app/exit-codes.ts';
import type { RunOptions } from '../app/run.ts';
import { VERSION } from '../app/version.ts';
import { type CommandHost, defineDiagnosticCommands } from './diagnostic-commands.ts';

export interface ProgramHost extends Omit<CommandHost, 'terminal'> {
  readonly errorOutput: NodeJS.WriteStream;
  /** The agent, until the signal; resolves with the exit code. */
  readonly run: (options: RunOptions) => Promise<number>;
}

/**
 * Does what this command line asks for, which tells its exit code by `finish`. Resolves with an exit code where there was nothing
 * to do: after help, the version, or a mistake, whose words the library has printed.
 */
export async function runCommandLine(
  commandLine: readonly string[],
  host: ProgramHost,
): Promise<number | undefined> {
  try {
    await createProgram(host).parseAsync(commandLine, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EX_OK : EX_USAGE;
  }
}

export function createProgram(host: ProgramHost): Command {
  const { environment, out, signal, run, finish } = host;
  const program = new Command('firstlight')
    .description(
      'The agent a Linux gateway runs from its first boot: provisions itself with ThingsBoard, then reports its sensors.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(firstlight --help lists the commands)');
  program
    .command('run')
    .description(
      'provision if there are no credentials, then sample and deliver until stopped; SIGHUP reads the configuration again',
    )
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', 'state directory (default: $STATE_DIRECTORY, else /var/lib/firstlight)')
    .addHelpText('after', '\nExample: firstlight run --config gateway.toml --state ./state')
    .action((options: RunOptions) => finish(run(options)));
  defineDiagnosticCommands(program, {
    ...host,
    terminal: async () => {
      const { openTerminal } = await import('./ui/terminal.ts');
      return openTerminal(out, environment, signal);
    },
  });
  defineSample(program, host);
  defineSandboxAndDemo(program, host);
  defineImageCommands(program, host);
  return program;
}

function defineSample(
  program: Command,
  { environment, out, errorOutput, signal, finish }: ProgramHost,
): void {
  program
    .command('sample')
    .description('print one reading of this host: what the agent would send')
    .option('--json', 'as one JSON object')
    .option('--all', 'also what the agent would not send, marked')
    .addOption(new Option('--watch', 'a reading a second, until Ctrl-C').conflicts('json'))
    .addOption(
      new Option('--explain <key>', 'say where the value of this key comes from').conflicts([
        'json',
        'watch',
        'all',
      ]),
    )
    .option('--config <file>', 'as the agent with this configuration would')
    .addOption(new Option('--root <dir>', 'of a captured host').hideHelp())
    .addHelpText('after', '\nExample: firstlight sample --explain memoryUsedBytes')
    .action(async (options: import('./sample/command.ts').SampleOptions) => {
      const { sampleThisHost } = await import('./sample/command.ts');
      await finish(sampleThisHost(options, { out, errorOutput, environment }, signal));
    });
}

function defineSandboxAndDemo(program: Command, { out, signal, finish }: ProgramHost): void {
  program
    .command('sandbox')
    .description('run the embedded ThingsBoard stand-in')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--coap-port <port>', 'CoAP port, 0 for a free one', parsePort, 5683)
    .option('--http-port <port>', 'HTTP device API port, 0 for a free one', parsePort, 8080)
    .option('--admin-port <port>', 'admin HTTP port, 0 for a free one', parsePort, 8081)
    .option('--key <key>', 'provisioning key of the device profile', 'demo-key')
    .option('--secret <secret>', 'provisioning secret of the device profile', 'demo-secret')
    .option('--data <file>', 'keep devices and ports in this file')
    .option('--json', 'print the ports as one JSON line')
    .addHelpText('after', '\nExample: firstlight sandbox --coap-port 5683')
    .action(async (options: import('./sandbox/command.ts').SandboxOptions) => {
      const { sandboxCommand } = await import('./sandbox/command.ts');
      await finish(sandboxCommand(options, out, signal));
    });
  program
    .command('demo')
    .description('sandbox and agent together, on this host, told in plain lines')
    .option('--seconds <n>', 'stop after so many seconds; exit 0 only if telemetry was stored', parseSeconds)
    .option('--state <dir>', 'keep the state here instead of in a temporary directory')
    .addHelpText('after', '\nExample: firstlight demo --seconds 15')
    .action(async (options: { parseSeconds?: number; state?: string }) => {
      const { demoCommand } = await import('./demo/command.ts');
      await finish(demoCommand(options, out, signal));
    });
}

function defineImageCommands(
  program: Command,
  { environment, input, out, signal, finish }: ProgramHost,
): void {
  program
    .command('import')
    .description('take the configuration from the boot partition, as firstlight-import.service does at boot')
    .option('--from <file>', 'the file to take (default: firstlight.toml in /boot/firmware or /boot)')
    .option('--to <dir>', 'where the configuration goes (default: /etc/firstlight)')
    .option('--credstore <dir>', 'where its secret goes (default: /etc/credstore)')
    .addHelpText('after', '\nExample: sudo firstlight import --from /media/usb/firstlight.toml')
    .action(async (options: import('./image/import.ts').ImportOptions) => {
      const { importCommand } = await import('./image/import.ts');
      await finish(Promise.resolve(importCommand(options, environment, out)));
    });
  program
    .command('prepare-image')
    .description('make this system safe to clone: remove credentials and waiting readings')
    .option('--state <dir>', 'state directory (default: /var/lib/firstlight)')
    .option('--yes', 'do not ask')
    .option('--check', 'only look, and exit 1 with what is wrong')
    .option('--root <dir>', 'with --check: where the image to look at is mounted')
    .addHelpText('after', '\nExample: firstlight prepare-image --check --root /mnt')
    .action(async (options: { state?: string; yes?: boolean; check?: boolean; root?: string }) => {
      if (options.root !== undefined && !options.check) {
        program.error(
          'error: --root goes with --check only: the system that runs is the one that is prepared',
        );
      }
      if (options.check) {
        const { checkImage } = await import('./image/check-image.ts');
        await finish(Promise.resolve(checkImage(options, out)));
      } else {
        const { prepareImage } = await import('./image/prepare-image.ts');
        const console = { input, out };
        await finish(prepareImage(options, console, signal));
      }
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 1 && value <= 86_400) return value;
  throw new InvalidArgumentError('give 1 to 86400 seconds.');
}
