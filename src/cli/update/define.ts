/** `firstlight update`: its commands, options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

const KEYS = ['--keys <dir>', 'public keys (default: /etc/firstlight/update-keys.d)'] as const;
const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

export function defineUpdate(program: Command, { environment, out, signal, finish }: CommandHost): void {
  const update = program
    .command('update')
    .description('make, check and install signed updates; docs/updates.md describes them');
  update
    .command('keygen <dir>')
    .description('make a pair of keys: the private one signs updates, the public one goes to the gateways')
    .addHelpText('after', '\nExample: firstlight update keygen ~/firstlight-keys')
    .action(async (directory: string) => {
      const { makeKeys } = await import('./keys-command.ts');
      await finish(makeKeys(directory, out));
    });
  update
    .command('sign <packages...>')
    .description('make a signed update file of packages; npm run package -- --sign KEYFILE does it too')
    .requiredOption('--key <file>', 'private key; repeat it for several signatures', collect)
    .requiredOption('--output <file>', 'the update file')
    .option('--minimum-version <version>', 'the oldest version that may be replaced (default: any)')
    .option('--allow-downgrade', 'the update may replace newer versions, up to --maximum-version')
    .option('--maximum-version <version>', 'the newest version that may be replaced; with --allow-downgrade')
    .addHelpText(
      'after',
      '\nExample: firstlight update sign firstlight_0.2.0_all.deb --key ~/firstlight-keys/*.key --output firstlight-0.2.0.update',
    )
    .action(async (packages: string[], options: import('./sign-command.ts').SignOptions) => {
      const { signCommand } = await import('./sign-command.ts');
      await finish(signCommand(packages, options, out));
    });
  update
    .command('check <file>')
    .description('verify signature, manifest and content of an update file as a gateway does')
    .option(...KEYS)
    .addHelpText(
      'after',
      '\nExample: firstlight update check firstlight-0.2.0.update --keys ~/firstlight-keys',
    )
    .action(async (file: string, options: import('./check-command.ts').CheckOptions) => {
      const { checkUpdate } = await import('./check-command.ts');
      await finish(checkUpdate(file, options, out));
    });
  update
    .command('apply <file>')
    .description('install an update file without a server, with the same checks and the same way back')
    .addHelpText('after', '\nExample: sudo firstlight update apply firstlight-0.2.0.update')
    .action(async (file: string) => {
      const { applyUpdate } = await import('./apply-command.ts');
      await finish(applyUpdate(file, out, signal));
    });
  update
    .command('status')
    .description('show whether updates are on, the installed version and the last result')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample: firstlight update status')
    .action(async (options: import('./status-command.ts').UpdateStatusOptions) => {
      const { showUpdateStatus } = await import('./status-command.ts');
      await finish(showUpdateStatus(options, out));
    });
  update
    .command('install', { hidden: true })
    .description("root's part, started by firstlight-update.service")
    .option('--gate <seconds>', 'how long the health of the new version is watched (default: 600)')
    .action(async (options: import('./install-command.ts').InstallOptions) => {
      const { installUpdate } = await import('./install-command.ts');
      await finish(installUpdate(options, environment, out, signal));
    });
}
