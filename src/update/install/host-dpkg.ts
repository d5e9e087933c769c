/** dpkg of this host. Installs without a question and keeps changed configuration files. */

import { UPDATE_TITLE } from '../../core/update/manifest.ts';
import type { Dpkg, DpkgResult, PackageFields } from './ports.ts';
import { repackInstalled } from './repack.ts';
import { type RunHostCommand, runHostCommand } from './run-host-command.ts';

/** Longer than any of its runs on a slow SD card. A part of it may remain undone then. */
const DPKG_WITHIN_MS = 15 * 60_000;
/** The maintainer scripts leave the restart to us, so that dpkg does not wait for a version that hangs. */
const MAINTAINER_SCRIPTS = { FIRSTLIGHT_UPDATE: '1' };
const UPDATE_UNIT = './usr/lib/systemd/system/firstlight-update.service';

export class HostDpkg implements Dpkg {
  readonly #run: RunHostCommand;

  constructor(run: RunHostCommand = runHostCommand) {
    this.#run = run;
  }

  async architecture(): Promise<string> {
    return (await this.#run('dpkg', ['--print-architecture'])).output.trim();
  }

  async installedVersion(): Promise<string | undefined> {
    const { output } = await this.#run('dpkg-query', [
      '--show',
      `--showformat=\${Status}\t\${Version}`,
      UPDATE_TITLE,
    ]);
    const [status = '', version] = output.split('\t');
    return status.endsWith(' ok installed') ? version : undefined;
  }

  async fields(deb: string): Promise<PackageFields | undefined> {
    const { isOk, output } = await this.#run('dpkg-deb', [
      ...['--field', deb],
      ...['Package', 'Version', 'Architecture'],
    ]);
    if (!isOk) return undefined;
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(output)?.[1] ?? '';
    return { package: field('Package'), version: field('Version'), architecture: field('Architecture') };
  }

  async canGoBack(deb: string): Promise<boolean> {
    const { output } = await this.#run('dpkg-deb', ['--contents', deb]);
    return output.split('\n').some((line) => line.endsWith(` ${UPDATE_UNIT}`));
  }

  async install(deb: string): Promise<DpkgResult> {
    const { isOk, problem } = await this.#run('dpkg', ['--force-confold', '--install', deb], {
      environment: MAINTAINER_SCRIPTS,
      withinMs: DPKG_WITHIN_MS,
    });
    if (isOk) return { ok: true };
    return { ok: false, problem, isLocked: /\block\b.*\b(locked|held) by another process/.test(problem) };
  }

  async configure(): Promise<void> {
    const options = { environment: MAINTAINER_SCRIPTS, withinMs: DPKG_WITHIN_MS };
    await this.#run('dpkg', ['--force-confold', '--configure', '--pending'], options);
  }

  repack(deb: string): Promise<DpkgResult> {
    return repackInstalled(UPDATE_TITLE, deb, this.#run);
  }
}
