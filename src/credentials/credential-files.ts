/**
 * The credential file and its backup. `loadNewest` reads the effective record and repairs the files; `save` writes both durably,
 * the main file first.
 *
 *   main good ─▶ main            main bad, unreadable or absent, backup good ─▶ backup     main bad, no backup ─▶ none
 *   either of a newer version, none readable, or both bad ─▶ StoreError
 */

import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { logEvent } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { archiveFile } from './archive.ts';
import { makePrivateDirectory, syncDirectory } from './private-files.ts';
import { type RecordFile, readRecordFile } from './read-record-file.ts';
import { type StoredRecord, toDisk } from './record.ts';
import { StoreError, toStoreError } from './store-error.ts';
import { writeDurably } from './write-durably.ts';

const MAIN = 'credentials';
const BACKUP = 'credentials.backup';
/** Temporary files of conf: the name, ten digits of time, six random digits. */
const ORPHAN = /^credentials(\.backup)?\.json\.tmp-\d{10}[0-9a-f]{6}$/;

export interface StorePorts {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Logger;
}

export class CredentialFiles {
  readonly #directory: string;
  readonly #ports: StorePorts;

  constructor(directory: string, ports: StorePorts) {
    this.#directory = directory;
    this.#ports = ports;
  }

  /** The effective record, whatever it is bound to. Makes main and backup equal if the disk allows it. */
  async loadNewest(): Promise<StoredRecord | undefined> {
    await this.#bestEffort(async () => {
      await makePrivateDirectory(this.#directory);
      await this.#removeOrphans();
    });
    const main = await this.#readFile(MAIN);
    const backup = await this.#readFile(BACKUP);
    // One good copy is enough.
    for (const file of [main, backup]) {
      if (file.is === 'unreadable' && main.is !== 'good' && backup.is !== 'good') throw file.error;
    }
    if (main.is === 'good') {
      await this.#bestEffort(async () => {
        if (backup.is === 'bad') await this.#archiveInvalid(BACKUP, backup.problem);
        if (backup.is !== 'good' || !isEqual(main, backup)) await this.#save(BACKUP, main);
      });
      return main;
    }
    if (backup.is === 'good') {
      logEvent(this.#ports.log, 'FL-CREDENTIALS-BACKUP-USED', {
        directory: this.#directory,
      });
      await this.#bestEffort(async () => {
        if (main.is === 'bad') await this.#archiveInvalid(MAIN, main.problem);
        await this.#save(MAIN, backup);
      });
      return backup;
    }
    if (main.is === 'bad' && backup.is === 'bad') {
      throw new StoreError(
        `in ${this.#directory} ${MAIN}.json ${main.problem}, and ${BACKUP}.json ${backup.problem}; both files are unchanged`,
        { code: 'CREDENTIALS_DAMAGED' },
      );
    }
    // The backup is written before the first request: without one, nothing was ever sent.
    if (main.is === 'bad') await this.#archiveInvalid(MAIN, main.problem);
    if (backup.is === 'bad') await this.#archiveInvalid(BACKUP, backup.problem);
    return undefined;
  }

  /** Removes a file durably. */
  async remove(file: string): Promise<void> {
    await unlink(join(this.#directory, file));
    await syncDirectory(this.#directory);
  }

  /** Resolves when both files contain `stored` durably. */
  async save(stored: StoredRecord): Promise<void> {
    await makePrivateDirectory(this.#directory);
    await this.#save(MAIN, stored);
    await this.#save(BACKUP, stored);
  }

  /** As `save`, but only logs an error of the disk. */
  async saveBestEffort(stored: StoredRecord): Promise<void> {
    await this.#bestEffort(() => this.save(stored));
  }

  /** Archives the main file, then removes the backup. A power cut in between leaves the backup, which is the same record. */
  async archiveBoth(): Promise<string> {
    const archivedAs = await archiveFile(
      this.#directory,
      `${MAIN}.json`,
      'elsewhere',
      this.#ports.clock.wallMs(),
    );
    await this.remove(`${BACKUP}.json`);
    return archivedAs;
  }

  /** A failed repair must not stop the agent: on a read-only disk a good record is still good. */
  async #bestEffort(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const { message } = toStoreError(
        `the agent uses the credentials in ${this.#directory} but cannot repair their files`,
        error,
      );
      logEvent(this.#ports.log, 'FL-CREDENTIALS-REPAIR-FAILED', { reason: message });
    }
  }

  /** Rejects if the file was written by a newer agent. */
  async #readFile(name: string): Promise<Exclude<RecordFile, { is: 'newer' }>> {
    const path = join(this.#directory, `${name}.json`);
    const file = await readRecordFile(path, 'fix-mode');
    if (file.is === 'newer') {
      throw new StoreError(
        `the credential file ${path} ${file.problem}; it is unchanged: install that version again`,
        { code: 'CREDENTIALS_NEWER' },
      );
    }
    if (file.is === 'good' && file.wasReadableByOthers) {
      logEvent(this.#ports.log, 'FL-CREDENTIALS-EXPOSED', { file: path });
    }
    return file;
  }

  async #archiveInvalid(name: string, problem: string): Promise<void> {
    const archivedAs = await archiveFile(this.#directory, `${name}.json`, 'bad', this.#ports.clock.wallMs());
    logEvent(this.#ports.log, 'FL-CREDENTIALS-DAMAGED', { archivedAs, problem });
  }

  async #save(name: string, stored: StoredRecord): Promise<void> {
    await writeDurably(this.#directory, name, toDisk(stored));
  }

  /** A process that is killed while it writes leaves a temporary file with the token. */
  async #removeOrphans(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (ORPHAN.test(name)) await unlink(join(this.#directory, name));
    }
  }
}

function isEqual(one: StoredRecord, other: StoredRecord): boolean {
  return JSON.stringify(toDisk(one)) === JSON.stringify(toDisk(other));
}
