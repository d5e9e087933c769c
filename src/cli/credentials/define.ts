/** `firstlight credentials`: its commands, options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

export function defineCredentials(
  program: Command,
  { environment, input, out, finish, signal }: CommandHost,
): void {
  const host = { environment, console: { input, out } };
  const state = ['--state <dir>', 'state directory (default: /var/lib/firstlight)'] as const;
  const credentials = program
    .command('credentials')
    .description('show, forget or set the credentials of this gateway; never shows the token');
  credentials
    .command('show')
    .description('show state, device, server, age and board; not the token')
    .option(...state)
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample: sudo firstlight credentials show')
    .action(async (options: import('./command.ts').CredentialsOptions) => {
      const { showCredentials } = await import('./command.ts');
      await finish(showCredentials(options, host));
    });
  credentials
    .command('forget')
    .description('archive the credentials, so that the next start provisions again')
    .option(...state)
    .option('--yes', 'do not ask for confirmation')
    .addHelpText('after', '\nExample: sudo firstlight credentials forget')
    .action(async (options: import('./command.ts').CredentialsOptions) => {
      const { forgetCredentials } = await import('./command.ts');
      await finish(forgetCredentials(options, host, signal));
    });
  credentials
    .command('set')
    .description('store the access token of a device that already exists on the server')
    .requiredOption('--token-file <file>', 'file that contains only the token')
    .option(...state)
    .option('--config <file>', 'configuration (default: /etc/firstlight/firstlight.toml)')
    .addHelpText('after', '\nExample: sudo firstlight credentials set --token-file /root/token')
    .action(async (options: import('./command.ts').CredentialsOptions) => {
      const { setCredentials } = await import('./command.ts');
      await finish(setCredentials(options, host, signal));
    });
}
