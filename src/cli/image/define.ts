/** `firstlight import` and `firstlight prepare-image`: options and help. */

import type { Command } from 'commander';
import type { CommandHost } from '../ui/command-host.ts';

export function defineImport(program: Command, { environment, out, finish }: CommandHost): void {
  program
    .command('import')
    .description('take the configuration from the boot partition, as firstlight-import.service does at boot')
    .option('--from <file>', 'the file to take (default: firstlight.toml in /boot/firmware or /boot)')
    .option('--to <dir>', 'where the configuration goes (default: /etc/firstlight)')
    .option('--credstore <dir>', 'where its secret goes (default: /etc/credstore)')
    .addHelpText('after', '\nExample: sudo firstlight import --from /media/usb/firstlight.toml')
    .action(async (options: import('./import.ts').ImportOptions) => {
      const { importCommand } = await import('./import.ts');
      await finish(Promise.resolve(importCommand(options, environment, out)));
    });
}

export function definePrepareImage(program: Command, { input, out, signal, finish }: CommandHost): void {
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
        program.error(
          'error: --root goes with --check only: the system that runs is the one that is prepared',
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
