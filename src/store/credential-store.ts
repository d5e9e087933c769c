/**
 * The credential store: one small file that outlives power cuts, over `conf`.
 *
 * Promises: the file is 0600 in a 0700 directory from its birth; a `write` that returned survives a power cut (conf syncs the file, we
 * sync the directory); a file that cannot be understood is reported and left as it is, because it may hold the only copy of a token.
 */

import { join } from 'node:path';
import type Conf from 'conf';
import type { CredentialRecord, CredentialStore } from '../core/ports.ts';
import { makePrivateDirectory, syncDirectory } from './durable.ts';
import { loadConf } from './load-conf.ts';
import { fromDisk, toDisk } from './record.ts';
import { StoreError } from './store-error.ts';

const CONFIG_NAME = 'credentials';

type Stored = Record<string, unknown>;

export class ConfCredentialStore implements CredentialStore {
  readonly #directory: string;
  readonly #file: string;
  #conf: Conf<Stored> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = join(directory, `${CONFIG_NAME}.json`);
  }

  async read(): Promise<CredentialRecord | undefined> {
    const stored = await this.#attempt('read', () => this.#opened().then((conf) => ({ ...conf.store })));
    const parsed = fromDisk(stored);
    if (parsed.ok) return parsed.record;
    throw new StoreError(
      `the credential file ${this.#file} ${parsed.problem}; it was left as it is: restore it from a backup, or move it away to provision anew`,
    );
  }

  async write(record: CredentialRecord): Promise<void> {
    await this.#attempt('write', async () => {
      const conf = await this.#opened();
      conf.store = toDisk(record);
      await syncDirectory(this.#directory);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#conf = undefined;
  }

  /** conf reads the file in its constructor, so it is made late and where a failure has a name. */
  async #opened(): Promise<Conf<Stored>> {
    if (this.#conf) return this.#conf;
    await makePrivateDirectory(this.#directory);
    const ConfClass = await loadConf();
    this.#conf = new ConfClass<Stored>({
      cwd: this.#directory,
      configName: CONFIG_NAME,
      configFileMode: 0o600,
      clearInvalidConfig: false, // true would throw the token away without a word
      accessPropertiesByDotNotation: false,
    });
    return this.#conf;
  }

  async #attempt<T>(verb: 'read' | 'write', action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw new StoreError(
        `the credential file ${this.#file} cannot be ${verb === 'read' ? 'read' : 'written'}: ${why(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EROFS: 'the file system is read-only; check the card and remount it writable',
  EACCES: 'the rights do not allow it; the state directory must belong to the user of the service',
  EPERM: 'the rights do not allow it; the state directory must belong to the user of the service',
  EIO: 'the disk reports an error; the card may be dying, replace it',
};

/** The cause without any quotation of the file, which holds the token (a JSON parser's message would quote it). */
function why(error: unknown): string {
  if (error instanceof SyntaxError) {
    return 'it is torn or not JSON; it was left as it is: restore it from a backup, or move it away to provision anew';
  }
  const code =
    typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
      ? error.code
      : '';
  return REASONS[code] ?? (code || 'for an unknown reason');
}
