/** `firstlight thingsboard`: its commands, options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';
import type { RemoveOptions, SetupCommandOptions } from './command.ts';

export function defineThingsboard(
  program: Command,
  { environment, input, out, finish, signal }: CommandHost,
): void {
  const host = { environment, input, out, signal };
  const thingsboard = program
    .command('thingsboard')
    .description(
      'set up ThingsBoard for a fleet over its REST API: device profile, alarm rules, dashboards; runs on any computer',
    );
  withLogin(
    thingsboard
      .command('setup')
      .description(
        'make or update the device profile, its alarm rules and two dashboards, and print the firstlight.toml of the gateways',
      ),
  )
    .option('--server-url <urls>', 'server.url of the gateways, separated by commas (default: --url)')
    .option(
      '--write <file>',
      'write the firstlight.toml of the gateways, with the provisioning secret, to this new file (mode 0600)',
    )
    .option('--dry-run', 'show what would be made or updated, and change nothing')
    .option('--reset', 'also overwrite what was changed by hand, and make again what was deleted')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused by the server, 64 wrong usage, 73 file not written, 75 server not reachable.\n\nExample: firstlight thingsboard setup --url https://tb.example.com --user admin@example.com --write firstlight.toml',
    )
    .action(async (options: SetupCommandOptions) => {
      const { setupThingsboard } = await import('./command.ts');
      await finish(setupThingsboard(options, host));
    });
  withLogin(
    thingsboard
      .command('remove')
      .description('remove what setup made; asks first, and never touches devices'),
  )
    .option('--dry-run', 'show what would be removed, and change nothing')
    .option('--yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExample: firstlight thingsboard remove --url https://tb.example.com --user admin@example.com',
    )
    .action(async (options: RemoveOptions) => {
      const { removeFromThingsboard } = await import('./command.ts');
      await finish(removeFromThingsboard(options, host));
    });
  thingsboard
    .command('export')
    .description(
      'write the device profile, alarm rules and dashboards as files for the import of ThingsBoard',
    )
    .argument('<dir>', 'directory of the files, which is created if it does not exist')
    .addHelpText('after', '\nExample: firstlight thingsboard export ./thingsboard')
    .action(async (directory: string) => {
      const { exportForThingsboard } = await import('./export.ts');
      await finish(exportForThingsboard(directory, host));
    });
}

function withLogin(command: Command): Command {
  return command
    .requiredOption('--url <url>', 'web interface of ThingsBoard, http or https')
    .option('--user <name>', 'administrator of the tenant; the password is asked for')
    .option('--password-file <file>', 'file that contains only the password')
    .option('--token-file <file>', 'instead of --user: file that contains only an API key or a JWT')
    .option(
      '--ca-file <file>',
      'CA certificates (PEM) to trust for https, in addition to those of this host',
    );
}
