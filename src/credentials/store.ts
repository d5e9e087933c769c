/**
 * The credential store: one small file that outlives power cuts, bound to this board and this server.
 *
 * Promises: 0600 files in a 0700 directory from their birth; a `write` that returned survives a power cut; a
 * record of another board or server is set aside, kept, and found again when it fits. What cannot be decided
 * safely is a StoreError, and the files stay as they are. Every choice is told in the journal. The files
 * themselves are record-pair.ts's business.
 */

import { logEvent } from '../core/events/catalogue.ts';
import { isSameBoard } from '../core/model/board-fingerprint.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import { type ArchivedRecord, findArchived } from './archive.ts';
import { type Binding, bindingMismatch } from './binding.ts';
import { SERVERS_MAX, type StoredRecord, wasIssued } from './record.ts';
import { RecordFiles, type StorePorts } from './record-files.ts';
import { toStoreError } from './store-error.ts';

export class ConfCredentialStore implements CredentialStore {
  readonly #directory: string;
  readonly #binding: Binding;
  readonly #ports: StorePorts;
  readonly #files: RecordFiles;
  /** URLs of this server that the stored record knows. */
  #servers: readonly string[] = [];

  constructor(directory: string, binding: Binding, ports: StorePorts) {
    this.#directory = directory;
    this.#binding = binding;
    this.#ports = ports;
    this.#files = new RecordFiles(directory, ports);
  }

  async read(): Promise<CredentialRecord | undefined> {
    return this.#wrapErrors('read', async () => {
      const stored = await this.#files.loadNewest();
      if (stored === undefined) return this.#restoreArchived();
      if (this.#matchesBinding(stored))
        return (await this.#restoreIssued(stored)) ?? this.#extendBinding(stored);
      await this.#archiveForeign(stored);
      return this.#restoreArchived();
    });
  }

  async write(record: CredentialRecord): Promise<void> {
    const { fingerprint } = this.#binding;
    const stored = this.#mergeServers({ record, fingerprint, servers: this.#servers });
    await this.#wrapErrors('written', () => this.#files.save(stored));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /**
   * An interface whose driver came late, or was added, is part of the board from now on: else the next boot
   * that sees only that one would take itself for another board. And a URL that the operator has named beside the
   * record's stays one of its server, also when it is the only one left.
   */
  async #extendBinding(stored: StoredRecord): Promise<CredentialRecord> {
    const { record, fingerprint, servers = [] } = stored;
    const all = [...new Set([...fingerprint, ...this.#binding.fingerprint])].sort();
    const merged = this.#mergeServers(stored);
    this.#servers = merged.servers ?? [];
    if (all.length > fingerprint.length || this.#servers.some((url) => !servers.includes(url))) {
      await this.#files.saveBestEffort({ ...merged, fingerprint: all });
    }
    return record;
  }

  #mergeServers(stored: StoredRecord): StoredRecord {
    const { server } = stored.record;
    const others = [...new Set([...(stored.servers ?? []), ...this.#binding.servers])];
    const servers = others.filter((url) => url !== server).slice(-SERVERS_MAX);
    return { ...stored, servers };
  }

  #matchesBinding(stored: StoredRecord): boolean {
    return bindingMismatch(stored, this.#binding) === undefined;
  }

  async #archiveForeign(stored: StoredRecord): Promise<void> {
    const { record } = stored;
    const archivedAs = await this.#files.archiveBoth();
    const eventId =
      bindingMismatch(stored, this.#binding) === 'board' ? 'FL-BOARD-CHANGED' : 'FL-SERVER-CHANGED';
    logEvent(this.#ports.log, eventId, {
      archivedAs: archivedAs,
      device: record.deviceName,
      server: record.server,
    });
  }

  /**
   * Who replaces the URL of a server by a new one of the same server makes the gateway provision anew, and the server declines it, as
   * its name exists. Once both URLs are listed, the credentials set aside then count for more than the attempt made since. A power cut on the way leaves
   * the attempt or nothing in place, and both end here or in `#comeBack`. An attempt to replace a refused token stays: what is aside
   * is older, perhaps of another server, and the server may have taken the attempt. And what is aside must be of the attempt's own
   * board: at a boot whose interfaces are not there yet nothing else can tell it from that of the card this one was copied from.
   */
  async #restoreIssued({ record, fingerprint }: StoredRecord): Promise<CredentialRecord | undefined> {
    if (wasIssued(record)) return undefined;
    const isOwn = (file: StoredRecord) =>
      this.#matchesBinding(file) && isSameBoard(file.fingerprint, fingerprint);
    const found = await findArchived(this.#directory, isOwn);
    if (!found || !wasIssued(found.file.record)) return undefined;
    await this.#files.archiveBoth();
    return this.#restoreRecord(found);
  }

  /** A record set aside earlier that fits again, put back in place. */
  async #restoreArchived(): Promise<CredentialRecord | undefined> {
    const found = await findArchived(this.#directory, (file) => this.#matchesBinding(file));
    return found && this.#restoreRecord(found);
  }

  async #restoreRecord({ name, file }: ArchivedRecord): Promise<CredentialRecord> {
    const merged = this.#mergeServers(file);
    this.#servers = merged.servers ?? [];
    await this.#files.save(merged);
    await this.#files.remove(name); // it is main and backup now; left here, it would be found again when it is old
    logEvent(this.#ports.log, 'FL-CREDENTIALS-REUSED', { file: name });
    return file.record;
  }

  async #wrapErrors<T>(what: 'read' | 'written', action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw toStoreError(`the credentials in ${this.#directory} cannot be ${what}`, error);
    }
  }
}
