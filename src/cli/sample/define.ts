/** `firstlight sample`: options and help. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../config/values/quantities.ts';
import type { CommandHost } from '../ui/terminal.ts';

export function defineSample(
  program: Command,
  { environment, out, errorOutput, signal, finish }: CommandHost,
): void {
  program
    .command('sample')
    .description('print one reading of this host, as the agent would send it')
    .option('--json', 'as one JSON object')
    .option('--all', 'also show values that the agent would not send, marked with -')
    .addOption(new Option('--watch', 'show one reading per second until Ctrl-C').conflicts('json'))
    .addOption(
      new Option('--explain <key>', 'show the source of the value of this key').conflicts([
        'json',
        'watch',
        'all',
      ]),
    )
    .option('--config <file>', 'configuration that selects the sensors (default: built-in defaults)')
    .option(
      '--root <path>',
      'read another root than that of this host: the archive that capture-host.sh wrote, the directory it was unpacked to, or a mounted system',
    )
    .option(
      '--interval <time>',
      'time between two readings, 100ms to 1h (default: 500ms; 1s with --watch)',
      parseInterval,
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 no sensor could be read or no sensor has the key, 66 the root does not exist or belongs to another user, 78 the configuration is invalid, 130 cancelled\n\nExample: firstlight sample --explain memoryUsedBytes',
    )
    .action(async (options: import('./command.ts').SampleOptions) => {
      const { sampleThisHost } = await import('./command.ts');
      await finish(sampleThisHost(options, { out, errorOutput, environment }, signal));
    });
}

const [INTERVAL_MS_MIN, INTERVAL_MS_MAX] = [100, 3_600_000];

function parseInterval(text: string): number {
  const ms = parseDuration(text) ?? 0;
  if (ms >= INTERVAL_MS_MIN && ms <= INTERVAL_MS_MAX) return ms;
  throw new InvalidArgumentError('must be a time from 100ms to 1h, such as 10s.');
}
