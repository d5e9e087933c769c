/**
 * Versions of the package for updates: good ones and ones that fail in a certain way, made of the package under test, signed
 * and packed as update files.
 */

import { createHash, createPrivateKey } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { signUpdate } from '../../../src/update/sign-update.ts';
import { createKeyPair, type KeyPair } from '../../../src/update/update-key.ts';
import { run } from '../command.ts';

const WITHIN_MS = 60_000;
const PROGRAM = 'usr/lib/firstlight/firstlight.mjs';
const CODE = 'usr/lib/firstlight/code';

/** What a bad version does instead of working, as code that runs before its own. */
const FAULTS = {
  crash: `if (process.argv[2] === 'run') process.exit(1);`,
  hang: `if (process.argv[2] === 'run') for (;;) await new Promise((resolve) => setTimeout(resolve, 1e6));`,
  'no-credentials': `if (process.argv[2] === 'run') {
  const fs = await import('node:fs');
  const { open } = fs.promises;
  fs.promises.open = (path, ...rest) =>
    String(path).includes('credentials') ? Promise.reject(Object.assign(new Error('no'), { code: 'EIO' })) : open(path, ...rest);
  (await import('node:module')).syncBuiltinESMExports();
}`,
  'refused-telemetry': '',
} as const;

export type Fault = keyof typeof FAULTS;

export class UpdateVersions {
  readonly #directory: string;
  readonly #deb: string;
  readonly #keys: KeyPair;

  constructor(directory: string, deb: string) {
    this.#directory = directory;
    this.#deb = deb;
    this.#keys = createKeyPair();
  }

  /** What an operator does once on a gateway. */
  async trust(root: string): Promise<void> {
    const directory = join(root, 'etc', 'firstlight', 'update-keys.d');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'site.pem'), this.#keys.publicPem, { mode: 0o644 });
  }

  /** A signed update file with a version of this number; returns its content. */
  async update(version: string, fault?: Fault): Promise<Buffer> {
    const deb = await this.#package(version, fault);
    const signed = signUpdate(
      [
        {
          ...{ name: basename(deb), package: 'firstlight', version, architecture: 'all' },
          content: await readFile(deb),
        },
      ],
      { minimumVersion: '0', allowDowngrade: false },
      [createPrivateKey(this.#keys.privatePem)],
    );
    if (!signed.ok) throw new Error(signed.problem);
    return signed.value;
  }

  async #package(version: string, fault: Fault | undefined): Promise<string> {
    const tree = join(this.#directory, `tree-${version}`);
    await mkdir(this.#directory, { recursive: true });
    await run(['dpkg-deb', '--raw-extract', this.#deb, tree], WITHIN_MS);
    const change = async (file: string, edit: (text: string) => string) =>
      writeFile(join(tree, file), edit(await readFile(join(tree, file), 'utf8')));
    await change('DEBIAN/control', (text) => text.replace(/^Version: .*$/m, `Version: ${version}`));
    await change('usr/lib/firstlight/package-version', () => `${version}\n`);
    if (fault !== undefined) await change(PROGRAM, (text) => `${FAULTS[fault]}\n${text}`);
    if (fault === 'refused-telemetry') await this.#misdirectTelemetry(tree);
    // dpkg compares the files with this list.
    const sums = (await readFile(join(tree, 'DEBIAN/md5sums'), 'utf8')).trimEnd().split('\n');
    const paths = sums.map((line) => line.slice(34));
    const md5 = (content: Buffer) => createHash('md5').update(content).digest('hex');
    const lines = paths.map(async (path) => `${md5(await readFile(join(tree, path)))}  ${path}\n`);
    await writeFile(join(tree, 'DEBIAN/md5sums'), (await Promise.all(lines)).join(''));
    const deb = join(this.#directory, `firstlight_${version}_all.deb`);
    await run(['dpkg-deb', '--root-owner-group', '-Zgzip', '--build', tree, deb], WITHIN_MS);
    await rm(tree, { recursive: true });
    return deb;
  }

  /** Posts telemetry to a path that the server does not have. */
  async #misdirectTelemetry(tree: string): Promise<void> {
    let changed = 0;
    for (const name of await readdir(join(tree, CODE))) {
      const path = join(tree, CODE, name);
      const text = await readFile(path, 'utf8');
      const misdirected = text.replaceAll('(token,"telemetry",', '(token,"nothing",');
      if (misdirected === text) continue;
      changed += 1;
      await writeFile(path, misdirected);
    }
    if (changed === 0) throw new Error('the program has no call that posts telemetry');
  }
}
