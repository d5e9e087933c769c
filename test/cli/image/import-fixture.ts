/** A boot partition, an /etc and a credential store in a temporary directory, and `firstlight import` as a process on them. */

import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { importCommand } from '../../../src/cli/image/import-command.ts';
import { MAIN } from '../../paths.ts';

const HOOK = pathToFileURL(join(import.meta.dirname, 'import-hook.js')).href;

export interface ImportResult {
  readonly code: number | null;
  readonly output: string;
}

export class ImportFixture implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'firstlight-card-'));
  /** Separate, because a killed import leaves files there. */
  readonly scratch = mkdtempSync(join(tmpdir(), 'firstlight-scratch-'));
  readonly boot: string;
  readonly etc = join(this.root, 'etc');
  readonly credstore = join(this.root, 'credstore');

  /** `boot`: a boot partition of another kind. */
  constructor(boot?: string) {
    this.boot = boot ?? join(this.root, 'boot');
    mkdirSync(this.boot, { recursive: true });
  }

  get source(): string {
    return join(this.boot, 'firstlight.toml');
  }

  get digest(): string | undefined {
    return this.read(join(this.boot, 'firstlight-error.txt'));
  }

  get configFile(): string {
    return join(this.etc, 'conf.d', '00-boot.toml');
  }

  get config(): string | undefined {
    return this.read(this.configFile);
  }

  get arguments(): readonly string[] {
    return ['--from', this.source, '--to', this.etc, '--credstore', this.credstore];
  }

  /** On the boot partition. */
  put(content: string | Uint8Array, name = 'firstlight.toml'): this {
    writeFileSync(join(this.boot, name), content);
    return this;
  }

  secret(name: string): string | undefined {
    return this.read(join(this.credstore, name));
  }

  read(path: string): string | undefined {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  mode(path: string): string {
    return (statSync(path).mode & 0o7777).toString(8);
  }

  /** Every file below the root of the fixture. */
  get files(): readonly string[] {
    return readdirSync(this.root, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(this.root, name)).isFile())
      .sort();
  }

  /** Runs the import in this process, which is faster. */
  import(environment: NodeJS.ProcessEnv = {}): ImportResult {
    const output: string[] = [];
    const options = { from: this.source, to: this.etc, credstore: this.credstore };
    const code = importCommand(
      options,
      { RUNTIME_DIRECTORY: this.scratch, ...environment },
      { write: (text) => output.push(text) },
    );
    return { code, output: output.join('') };
  }

  /** Runs the import as a process, killed before its `at`-th call if given. */
  process(at?: number, log?: string): Promise<ImportResult> {
    const hook = log === undefined ? [] : ['--import', HOOK];
    const environment = {
      PATH: process.env['PATH'],
      RUNTIME_DIRECTORY: this.scratch,
      KILL_HOOK_ROOT: this.root,
      KILL_HOOK_LOG: log,
      ...(at !== undefined && { KILL_HOOK_AT: String(at) }),
    };
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [...hook, MAIN, 'import', ...this.arguments],
        { env: environment },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
      );
    });
  }

  [Symbol.dispose](): void {
    for (const path of [this.root, this.scratch]) rmSync(path, { recursive: true, force: true });
  }
}
