#!/usr/bin/env node
/**
 * The entry: picks the command, turns SIGTERM and SIGINT into one abort signal and SIGHUP into a reload, sets the exit code
 * once.
 *
 * The only file that touches `process` for control. Commands are loaded when chosen, so that none pays for
 * another's libraries. A second signal ends the process at once, because the first one gives its listener up.
 */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Bell } from './cli/bell.ts';
import { defineSayCommands } from './cli/say-commands.ts';
import { VERSION } from './cli/version.ts';

/** sysexits.h: the command was used wrongly. */
const EX_USAGE = 64;

/** How long what is still open after a command may keep the process, ms. */
const LINGER_MS = 2_000;

/** What a shell says of a program that writes where nobody reads (128 + SIGPIPE), and sysexits.h of any other output that fails. */
const EX_UNREAD = 141;
const EX_IOERR = 74;

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());

/** Set when nobody reads on (`| head`): a command then ends as at Ctrl-C, without a word; the agent goes on, because the journal comes back. */
let unread: number | undefined;
let needsReader = true;
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!needsReader) return;
  unread = error.code === 'EPIPE' ? EX_UNREAD : EX_IOERR;
  process.exitCode = unread;
  stop.abort();
});

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
  .action(async (options: { config?: string; state?: string }) => {
    needsReader = false;
    const reload = new Bell();
    // At a terminal it means that the terminal is gone.
    if (!process.stdout.isTTY) process.on('SIGHUP', () => reload.ring());
    const { runCommand } = await import('./cli/run.ts');
    const { env: environment, stdout: out } = process;
    await finish(runCommand(options, { environment, out, reload }, stop.signal));
  });

defineSayCommands(program, {
  environment: process.env,
  input: process.stdin,
  out: process.stdout,
  signal: stop.signal,
  terminal: async () => {
    const { openTerminal } = await import('./cli/terminal.ts');
    return openTerminal(process.stdout, process.env, stop.signal);
  },
  finish,
});

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
  .action(async (options: import('./cli/sample.ts').SampleOptions) => {
    const { sampleThisHost } = await import('./cli/sample.ts');
    const { env: environment, stdout: out, stderr: complaints } = process;
    await finish(sampleThisHost(options, { out, complaints, environment }, stop.signal));
  });

program
  .command('sandbox')
  .description('run the embedded ThingsBoard stand-in')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--coap-port <port>', 'CoAP port, 0 for a free one', portNumber, 5683)
  .option('--http-port <port>', 'HTTP device API port, 0 for a free one', portNumber, 8080)
  .option('--admin-port <port>', 'admin HTTP port, 0 for a free one', portNumber, 8081)
  .option('--key <key>', 'provisioning key of the device profile', 'demo-key')
  .option('--secret <secret>', 'provisioning secret of the device profile', 'demo-secret')
  .option('--data <file>', 'keep devices and ports in this file')
  .option('--json', 'print the ports as one JSON line')
  .addHelpText('after', '\nExample: firstlight sandbox --coap-port 5683')
  .action(async (options: import('./cli/sandbox.ts').SandboxOptions) => {
    const { sandboxCommand } = await import('./cli/sandbox.ts');
    await finish(sandboxCommand(options, process.stdout, stop.signal));
  });

program
  .command('demo')
  .description('sandbox and agent together, on this host, told in plain lines')
  .option('--seconds <n>', 'stop after so many seconds; exit 0 only if telemetry was stored', seconds)
  .option('--state <dir>', 'keep the state here instead of in a temporary directory')
  .addHelpText('after', '\nExample: firstlight demo --seconds 15')
  .action(async (options: { seconds?: number; state?: string }) => {
    const { demoCommand } = await import('./cli/demo.ts');
    await finish(demoCommand(options, process.stdout, stop.signal));
  });

program
  .command('import')
  .description('take the configuration from the boot partition, as firstlight-import.service does at boot')
  .option('--from <file>', 'the file to take (default: firstlight.toml in /boot/firmware or /boot)')
  .option('--to <dir>', 'where the configuration goes (default: /etc/firstlight)')
  .option('--credstore <dir>', 'where its secret goes (default: /etc/credstore)')
  .addHelpText('after', '\nExample: sudo firstlight import --from /media/usb/firstlight.toml')
  .action(async (options: import('./cli/import.ts').ImportOptions) => {
    const { importCommand } = await import('./cli/import.ts');
    await finish(Promise.resolve(importCommand(options, process.env, process.stdout)));
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
      program.error('error: --root goes with --check only: the system that runs is the one that is prepared');
    }
    if (options.check) {
      const { checkImage } = await import('./cli/check-image.ts');
      await finish(Promise.resolve(checkImage(options, process.stdout)));
    } else {
      const { prepareImage } = await import('./cli/prepare-image.ts');
      const console = { input: process.stdin, out: process.stdout };
      await finish(prepareImage(options, console, stop.signal));
    }
  });

program.command('facts', { hidden: true }).action(async () => {
  const { printFacts } = await import('./host/facts-child.ts');
  await printFacts();
});

async function finish(outcome: Promise<number>): Promise<void> {
  const code = await outcome;
  process.exitCode = unread ?? code;
  // A name server that does not answer, or a pipe nobody reads, must not keep a finished process alive.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 1 && value <= 86_400) return value;
  throw new InvalidArgumentError('give 1 to 86400 seconds.');
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // The library has printed its words already; help and version are no errors.
  process.exitCode = unread ?? (error.exitCode === 0 ? 0 : EX_USAGE);
}
