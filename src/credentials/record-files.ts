/**
 * The credential file and its backup, as one thing: `newest` is the record that counts, `save` writes both,
 * durably.
 *
 *   main good ─▶ main            main bad, unreadable or absent, backup good ─▶ backup     main bad, no backup ─▶ nothing yet
 *   either from the future, none readable, or both bad ─▶ StoreError
 *
 * The main file is written first, the backup second, each synced with its directory. What can be mended is,
 * on the way; nothing is deleted but orphaned temporary files of our own.
 */

import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type Conf from 'conf';
import { tell } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { setAside } from './archive.ts';
import { makePrivateDirectory, syncDirectory } from './durable.ts';
import { loadConf } from './load-conf.ts';
import { type StoredRecord, toDisk } from './record.ts';
import { type RecordFile, readRecordFile } from './record-file.ts';
import { refuseIrregular } from './regular-file.ts';
import { StoreError, storeError } from './store-error.ts';
import { otherOwner, writeForOwner } from './write-for-owner.ts';

const MAIN = 'credentials';
const BACKUP = 'credentials.backup';
/** How conf's file writer names its temporary files: the name, ten digits of time, six of chance. */
const ORPHAN = /^credentials(\.backup)?\.json\.tmp-\d{10}[0-9a-f]{6}$/;

export interface StorePorts {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Logger;
}

export class RecordPair {
  readonly #directory: string;
  readonly #ports: StorePorts;

  constructor(directory: string, ports: StorePorts) {
    this.#directory = directory;
    this.#ports = ports;
  }

  /** The record that counts, whatever it is bound to. Main and backup are made alike, if the disk lets us. */
  async newest(): Promise<StoredRecord | undefined> {
    await this.#mending(async () => {
      await makePrivateDirectory(this.#directory);
      await this.#sweep();
    });
    const main = await this.#look(MAIN);
    const backup = await this.#look(BACKUP);
    // One copy is good: whatever became of the other, it is used.
    for (const file of [main, backup]) {
      if (file.is === 'unreadable' && main.is !== 'good' && backup.is !== 'good') throw file.error;
    }
    if (main.is === 'good') {
      await this.#mending(async () => {
        if (backup.is === 'bad') await this.#putBad(BACKUP, backup.problem);
        if (backup.is !== 'good' || !isSame(main, backup)) await this.#save(BACKUP, main);
      });
      return main;
    }
    if (backup.is === 'good') {
      tell(this.#ports.log, 'FL-BACKUP-USED', {
        directory: this.#directory,
      });
      await this.#mending(async () => {
        if (main.is === 'bad') await this.#putBad(MAIN, main.problem);
        await this.#save(MAIN, backup);
      });
      return backup;
    }
    if (main.is === 'bad' && backup.is === 'bad') {
      throw new StoreError(
        `in ${this.#directory} ${MAIN}.json ${main.problem}, and ${BACKUP}.json ${backup.problem}; both were left as they are`,
        { code: 'CREDENTIALS_DAMAGED' },
      );
    }
    // The backup is written before the first request: without one, nothing was ever sent.
    if (main.is === 'bad') await this.#putBad(MAIN, main.problem);
    if (backup.is === 'bad') await this.#putBad(BACKUP, backup.problem);
    return undefined;
  }

  /** Removes a file whose record is kept elsewhere, durably. */
  async remove(file: string): Promise<void> {
    await unlink(join(this.#directory, file));
    await syncDirectory(this.#directory);
  }

  /** Returns when both files hold `stored` and no power cut can undo it. */
  async save(stored: StoredRecord): Promise<void> {
    await makePrivateDirectory(this.#directory);
    await this.#save(MAIN, stored);
    await this.#save(BACKUP, stored);
  }

  /** As `save`, but a disk that refuses is only told: what is stored is good enough. */
  async improve(stored: StoredRecord): Promise<void> {
    await this.#mending(() => this.save(stored));
  }

  /**
   * Moves the record aside; a power cut in between leaves the backup, which is then found as it is now. The
   * backup is the same record once more, so it can go when the other is safely aside.
   */
  async setBothAside(): Promise<string> {
    const kept = await setAside(this.#directory, `${MAIN}.json`, 'elsewhere', this.#ports.clock.wallMs());
    await this.remove(`${BACKUP}.json`);
    return kept;
  }

  /**
   * What makes the next start safer must not stop this one: on a read-only disk a good record is still good.
   */
  async #mending(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const { message } = storeError(
        `the credentials in ${this.#directory} are used but cannot be made safe`,
        error,
      );
      tell(this.#ports.log, 'FL-STORE-UNMENDED', { why: message });
    }
  }

  /** Reads one of the two files; what nobody may decide by himself ends here. */
  async #look(name: string): Promise<Exclude<RecordFile, { is: 'future' }>> {
    const path = join(this.#directory, `${name}.json`);
    const file = await readRecordFile(path, 'close');
    if (file.is === 'future') {
      throw new StoreError(
        `the credential file ${path} ${file.problem}; it was left as it is: install that version again`,
        { code: 'CREDENTIALS_NEWER' },
      );
    }
    if (file.is === 'good' && file.wasOpen) {
      tell(this.#ports.log, 'FL-CREDENTIALS-OPEN', { file: path });
    }
    return file;
  }

  async #putBad(name: string, problem: string): Promise<void> {
    const kept = await setAside(this.#directory, `${name}.json`, 'bad', this.#ports.clock.wallMs());
    tell(this.#ports.log, 'FL-CREDENTIALS-BAD', { kept, problem });
  }

  async #save(name: string, stored: StoredRecord): Promise<void> {
    const path = join(this.#directory, `${name}.json`);
    await refuseIrregular(path);
    const owner = await otherOwner(this.#directory);
    if (owner) await writeForOwner(path, JSON.stringify(toDisk(stored), undefined, '\t'), owner);
    else await this.#saveAsOurs(name, stored);
    await syncDirectory(this.#directory);
  }

  async #saveAsOurs(name: string, stored: StoredRecord): Promise<void> {
    const ConfClass = await loadConf();
    const conf: Conf<Record<string, unknown>> = new ConfClass({
      cwd: this.#directory,
      configName: name,
      configFileMode: 0o600,
      clearInvalidConfig: false, // true would throw a token away without a word
      deserialize: () => ({}), // what is there was read and judged by us; conf only writes
      accessPropertiesByDotNotation: false,
    });
    conf.store = toDisk(stored);
  }

  /** A process killed while writing leaves its temporary file behind, with the token in it. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (ORPHAN.test(name)) await unlink(join(this.#directory, name));
    }
  }
}

function isSame(one: StoredRecord, other: StoredRecord): boolean {
  return JSON.stringify(toDisk(one)) === JSON.stringify(toDisk(other));
}
