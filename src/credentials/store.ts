/**
 * The credential store: a record that survives power cuts, bound to this board and this server.
 *
 * A resolved `write` is durable. A record of another board or server is archived, and restored if it fits again. Every such
 * decision is logged; an unsafe one is a StoreError and leaves the files unchanged. credential-files.ts handles the files.
 */

import { logEvent } from '../core/events/catalogue.ts';
import { compareBoards, isSameBoard, mergeFingerprints } from '../core/model/board-fingerprint.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import { type ArchivedRecord, findArchived } from './archive.ts';
import { CredentialFiles, type StorePorts } from './credential-files.ts';
import { type Binding, bindingMismatch, SERVERS_MAX, type StoredRecord, wasIssued } from './record.ts';
import { toStoreError } from './store-error.ts';

export class ConfCredentialStore implements CredentialStore {
  readonly #directory: string;
  readonly #binding: Binding;
  readonly #ports: StorePorts;
  readonly #files: CredentialFiles;
  /** URLs of this server in the stored record. */
  #servers: readonly string[] = [];

  constructor(directory: string, binding: Binding, ports: StorePorts) {
    this.#directory = directory;
    this.#binding = binding;
    this.#ports = ports;
    this.#files = new CredentialFiles(directory, ports);
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
    const fingerprint = mergeFingerprints([], this.#binding.fingerprint);
    const stored = this.#mergeServers({ record, fingerprint, servers: this.#servers });
    await this.#wrapErrors('written', () => this.#files.save(stored));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /**
   * Adds new interfaces to the fingerprint, for example of a late driver; a boot that sees only that one would otherwise look like
   * another board. Adds the configured URLs, which stay valid for this server even if only one of them is left.
   */
  async #extendBinding(stored: StoredRecord): Promise<CredentialRecord> {
    const { record, fingerprint, servers = [] } = stored;
    if (compareBoards(fingerprint, this.#binding.fingerprint) === 'uncertain')
      logEvent(this.#ports.log, 'FL-BOARD-UNCERTAIN', { device: record.deviceName });
    const extended = mergeFingerprints(fingerprint, this.#binding.fingerprint);
    const merged = this.#mergeServers(stored);
    this.#servers = merged.servers ?? [];
    if (!hasSameEntries(extended, fingerprint) || this.#servers.some((url) => !servers.includes(url))) {
      await this.#files.saveBestEffort({ ...merged, fingerprint: extended });
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
      archivedAs,
      device: record.deviceName,
      server: record.server,
    });
  }

  /**
   * Archived credentials that were issued take precedence over an attempt without an issued token, if both are of the same board
   * (docs/decisions/0003-bind-credentials.md). An attempt to replace a rejected token stays, because the server may have accepted
   * it. The board must match because a boot without interfaces cannot recognise a copied card in any other way. A power cut
   * leaves the attempt or no record; the next start continues here or in `#restoreArchived`.
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

  /** Restores an archived record that matches again. */
  async #restoreArchived(): Promise<CredentialRecord | undefined> {
    const found = await findArchived(this.#directory, (file) => this.#matchesBinding(file));
    return found && this.#restoreRecord(found);
  }

  async #restoreRecord({ name, file }: ArchivedRecord): Promise<CredentialRecord> {
    const merged = this.#mergeServers(file);
    this.#servers = merged.servers ?? [];
    await this.#files.save(merged);
    await this.#files.remove(name); // now main and backup; left here, it would be restored again later
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

function hasSameEntries(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((entry) => others.includes(entry));
}
