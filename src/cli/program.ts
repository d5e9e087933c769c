/**
 * The command line: collects the definitions of the commands. A command is loaded when it is chosen.
 *
 * scripts/lib/commands.mjs makes the man page, the completion and the reference from this tree.
 */

import { Command, CommanderError } from 'commander';
import { EX_OK, EX_USAGE } from '../app/exit-codes.ts';
import type { RunOptions } from '../app/run.ts';
import { VERSION } from '../app/version.ts';
import { defineConfig } from './config/define.ts';
import { defineCredentials } from './credentials/define.ts';
import { defineDemo } from './demo/define.ts';
import { defineDoctor } from './doctor/define.ts';
import { defineImport, definePrepareImage } from './image/define.ts';
import { defineSample } from './sample/define.ts';
import { defineSandbox } from './sandbox/define.ts';
import { defineStatus } from './status/define.ts';
import { defineThingsboard } from './thingsboard/define.ts';
import type { CommandHost } from './ui/terminal.ts';
import { defineUpdate } from './update/define.ts';

export type ProgramHost = Omit<CommandHost, 'terminal'>;

/** The order in which `--help` lists the commands. */
const DEFINITIONS = [
  defineRun,
  defineStatus,
  defineDoctor,
  defineConfig,
  defineCredentials,
  defineSample,
  defineThingsboard,
  defineSandbox,
  defineDemo,
  defineUpdate,
  defineImport,
  definePrepareImage,
];

/**
 * Runs the command of this line, which passes its exit code to `finish`. Resolves with an exit code if no command ran: after
 * help, after the version, or after a usage error, which commander has printed.
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
  const program = new Command('firstlight')
    .description(
      'Provisions a Linux gateway with ThingsBoard at its first boot and reports its sensors from then on.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(firstlight --help lists the commands)');
  const terminal: CommandHost['terminal'] = async () => {
    const { openTerminal } = await import('./ui/terminal.ts');
    return openTerminal(host.out, host.environment, host.signal);
  };
  for (const define of DEFINITIONS) define(program, { ...host, terminal });
  return program;
}

function defineRun(program: Command, { run, finish }: CommandHost): void {
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
