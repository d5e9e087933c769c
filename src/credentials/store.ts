/**
 * The credential store: one small file that outlives power cuts, bound to this board and this server.
 *
 * Promises: 0600 files in a 0700 directory from their birth; a `write` that returned survives a power cut; a
 * record of another board or server is set aside, kept, and found again when it fits. What cannot be decided
 * safely is a StoreError, and the files stay as they are. Every choice is told in the journal. The files
 * themselves are record-pair.ts's business.
 */

import { tell } from '../core/events/catalogue.ts';
import { sameBoard } from '../core/model/board-fingerprint.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import { type Aside, findAside } from './archive.ts';
import { type Binding, misfit } from './binding.ts';
import { SERVERS_MAX, type StoredRecord, wasIssued } from './record.ts';
import { RecordPair, type StorePorts } from './record-files.ts';
import { storeError } from './store-error.ts';

export class ConfCredentialStore implements CredentialStore {
  readonly #directory: string;
  readonly #binding: Binding;
  readonly #ports: StorePorts;
  readonly #files: RecordPair;
  /** URLs of this server that the stored record knows. */
  #servers: readonly string[] = [];

  constructor(directory: string, binding: Binding, ports: StorePorts) {
    this.#directory = directory;
    this.#binding = binding;
    this.#ports = ports;
    this.#files = new RecordPair(directory, ports);
  }

  async read(): Promise<CredentialRecord | undefined> {
    return this.#telling('read', async () => {
      const stored = await this.#files.newest();
      if (stored === undefined) return this.#comeBack();
      if (this.#fits(stored)) return (await this.#backFromNewUrl(stored)) ?? this.#known(stored);
      await this.#putElsewhere(stored);
      return this.#comeBack();
    });
  }

  async write(record: CredentialRecord): Promise<void> {
    const { fingerprint } = this.#binding;
    const stored = this.#joined({ record, fingerprint, servers: this.#servers });
    await this.#telling('written', () => this.#files.save(stored));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /**
   * An interface whose driver came late, or was added, is part of the board from now on: else the next boot
   * that sees only that one would take itself for another board. And a URL that the operator has named beside the
   * record's stays one of its server, also when it is the only one left.
   */
  async #known(stored: StoredRecord): Promise<CredentialRecord> {
    const { record, fingerprint, servers = [] } = stored;
    const all = [...new Set([...fingerprint, ...this.#binding.fingerprint])].sort();
    const joined = this.#joined(stored);
    this.#servers = joined.servers ?? [];
    if (all.length > fingerprint.length || this.#servers.some((url) => !servers.includes(url))) {
      await this.#files.improve({ ...joined, fingerprint: all });
    }
    return record;
  }

  #joined(stored: StoredRecord): StoredRecord {
    const { server } = stored.record;
    const others = [...new Set([...(stored.servers ?? []), ...this.#binding.servers])];
    const servers = others.filter((url) => url !== server).slice(-SERVERS_MAX);
    return { ...stored, servers };
  }

  #fits(stored: StoredRecord): boolean {
    return misfit(stored, this.#binding) === undefined;
  }

  async #putElsewhere(stored: StoredRecord): Promise<void> {
    const { record } = stored;
    const kept = await this.#files.setBothAside();
    const why = misfit(stored, this.#binding) === 'board' ? 'FL-OTHER-BOARD' : 'FL-OTHER-SERVER';
    tell(this.#ports.log, why, { kept, device: record.deviceName, server: record.server });
  }

  /**
   * Who replaces the URL of a server by a new one of the same server makes the gateway provision anew, and the server declines it, as
   * its name exists. Once both URLs are listed, the credentials set aside then count for more than the attempt made since. A power cut on the way leaves
   * the attempt or nothing in place, and both end here or in `#comeBack`. An attempt to replace a refused token stays: what is aside
   * is older, perhaps of another server, and the server may have taken the attempt. And what is aside must be of the attempt's own
   * board: at a boot whose interfaces are not there yet nothing else can tell it from that of the card this one was copied from.
   */
  async #backFromNewUrl({ record, fingerprint }: StoredRecord): Promise<CredentialRecord | undefined> {
    if (wasIssued(record)) return undefined;
    const isOurs = (file: StoredRecord) => this.#fits(file) && sameBoard(file.fingerprint, fingerprint);
    const found = await findAside(this.#directory, isOurs);
    if (!found || !wasIssued(found.file.record)) return undefined;
    await this.#files.setBothAside();
    return this.#takeUp(found);
  }

  /** A record set aside earlier that fits again, put back in place. */
  async #comeBack(): Promise<CredentialRecord | undefined> {
    const found = await findAside(this.#directory, (file) => this.#fits(file));
    return found && this.#takeUp(found);
  }

  async #takeUp({ name, file }: Aside): Promise<CredentialRecord> {
    const joined = this.#joined(file);
    this.#servers = joined.servers ?? [];
    await this.#files.save(joined);
    await this.#files.remove(name); // it is main and backup now; left here, it would be found again when it is old
    tell(this.#ports.log, 'FL-CREDENTIALS-FIT', { file: name });
    return file.record;
  }

  async #telling<T>(what: 'read' | 'written', action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw storeError(`the credentials in ${this.#directory} cannot be ${what}`, error);
    }
  }
}
