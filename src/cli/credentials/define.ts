/** `firstlight credentials`: its commands, options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/command-host.ts';

export function defineCredentials(
  program: Command,
  { environment, input, out, finish, signal }: CommandHost,
): void {
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
    .action(async (options: import('./command.ts').CredentialsOptions) => {
      const { showCredentials } = await import('./command.ts');
      await finish(showCredentials(options, host));
    });
  credentials
    .command('forget')
    .description('let the next start provision anew; what is forgotten is kept aside')
    .option(...state)
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample: sudo firstlight credentials forget')
    .action(async (options: import('./command.ts').CredentialsOptions) => {
      const { forgetCredentials } = await import('./command.ts');
      await finish(forgetCredentials(options, host, signal));
    });
  credentials
    .command('set')
    .description('store the access token of a device that is on the server already')
    .requiredOption('--token-file <file>', 'a file that holds the token and nothing else')
    .option(...state)
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .addHelpText('after', '\nExample: sudo firstlight credentials set --token-file /root/token')
    .action(async (options: import('./command.ts').CredentialsOptions) => {
      const { setCredentials } = await import('./command.ts');
      await finish(setCredentials(options, host, signal));
    });
}
