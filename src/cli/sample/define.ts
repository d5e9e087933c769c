/** `firstlight sample`: options and help. */

import { type Command, Option } from 'commander';
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
    .addOption(new Option('--root <dir>', 'file system of a captured host').hideHelp())
    .addHelpText('after', '\nExample: firstlight sample --explain memoryUsedBytes')
    .action(async (options: import('./command.ts').SampleOptions) => {
      const { sampleThisHost } = await import('./command.ts');
      await finish(sampleThisHost(options, { out, errorOutput, environment }, signal));
    });
}
