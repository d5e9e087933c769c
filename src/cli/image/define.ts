/** `firstlight import` and `firstlight prepare-image`: options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

export function defineImport(program: Command, { environment, out, finish }: CommandHost): void {
  program
    .command('import')
    .description(
      'import the configuration from the boot partition, as firstlight-import.service does at boot',
    )
    .option('--from <file>', 'file to import (default: firstlight.toml in /boot/firmware or /boot)')
    .option('--to <dir>', 'target directory of the configuration (default: /etc/firstlight)')
    .option('--credstore <dir>', 'target directory of its secrets (default: /etc/credstore)')
    .addHelpText('after', '\nExample: sudo firstlight import --from /media/usb/firstlight.toml')
    .action(async (options: import('./import-command.ts').ImportOptions) => {
      const { importCommand } = await import('./import-command.ts');
      await finish(Promise.resolve(importCommand(options, environment, out)));
    });
}

export function definePrepareImage(program: Command, { input, out, signal, finish }: CommandHost): void {
  program
    .command('prepare-image')
    .description('make this system safe to clone: remove its credentials and queued readings')
    .option('--state <dir>', 'state directory (default: /var/lib/firstlight)')
    .option('--yes', 'do not ask for confirmation')
    .option('--check', 'only check; print the problems and exit with 1 if there are any')
    .option('--root <dir>', 'with --check: mount point of the image to check')
    .addHelpText('after', '\nExample: firstlight prepare-image --check --root /mnt')
    .action(async (options: { state?: string; yes?: boolean; check?: boolean; root?: string }) => {
      if (options.root !== undefined && !options.check) {
        program.error(
          'error: --root works only with --check, because prepare-image changes the running system',
        );
      }
      if (options.check) {
        const { checkImage } = await import('./check-image.ts');
        await finish(Promise.resolve(checkImage(options, out)));
      } else {
        const { prepareImage } = await import('./prepare-image.ts');
        const console = { input, out };
        await finish(prepareImage(options, console, signal));
      }
    });
}
