/** `firstlight sample`: options and help. */

import { type Command, Option } from 'commander';
import type { CommandHost } from '../ui/command-host.ts';

export function defineSample(
  program: Command,
  { environment, out, errorOutput, signal, finish }: CommandHost,
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
    .action(async (options: import('./command.ts').SampleOptions) => {
      const { sampleThisHost } = await import('./command.ts');
      await finish(sampleThisHost(options, { out, errorOutput, environment }, signal));
    });
}
