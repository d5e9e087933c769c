/** `firstlight config`: its commands, options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

const STATE = 'state directory (default: /var/lib/firstlight)';

export function defineConfig(program: Command, { environment, out, finish }: CommandHost): void {
  const host = { environment, out };
  const config = program
    .command('config')
    .description('check, show and explain the configuration; never shows a secret');
  config
    .command('check')
    .description('report every problem of the configuration; exit code 78 if there is one')
    .argument('[file]', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', STATE)
    .addHelpText('after', '\nExample: firstlight config check gateway.toml')
    .action(async (file: string | undefined, options: import('./command.ts').ConfigOptions) => {
      const { checkConfig } = await import('./command.ts');
      await finish(checkConfig({ ...options, ...(file !== undefined && { config: file }) }, host));
    });
  config
    .command('show')
    .description('show each effective value and its source')
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', STATE)
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample: firstlight config show')
    .action(async (options: import('./command.ts').ConfigOptions) => {
      const { showConfig } = await import('./command.ts');
      await finish(showConfig(options, host));
    });
  config
    .command('explain')
    .description('describe one setting: type, default, example and current value')
    .argument('<key>', 'setting, for example telemetry.interval')
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .option('--state <dir>', STATE)
    .addHelpText('after', '\nExample: firstlight config explain clock.trust')
    .action(async (key: string, options: import('./command.ts').ConfigOptions) => {
      const { explainConfig } = await import('./command.ts');
      await finish(explainConfig(key, options, host));
    });
}
