/** A state directory in a temporary directory, which opens stores and reads their files. */

import {
  chmodSync,
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
import type { Fingerprint } from '../../src/core/model/board-fingerprint.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../src/core/ports/credentials.ts';
import { ConfCredentialStore } from '../../src/credentials/store.ts';
import { StoreError } from '../../src/credentials/store-error.ts';
import { SERVER } from '../contracts/credential-store.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';

export const TOKEN = 'QZ7xQZ7xQZ7xQZ7xQZ7x';
export const PROVISIONED: CredentialRecord = {
  state: 'provisioned',
  server: SERVER,
  deviceName: 'gw-1',
  token: new Secret(TOKEN),
  sinceMs: 1_700_000_000_000,
};
export const ON_DISK = {
  version: 1,
  state: 'provisioned',
  server: SERVER,
  deviceName: 'gw-1',
  sinceMs: 1_700_000_000_000,
  token: TOKEN,
};

export const MAIN = 'credentials.json';
export const BACKUP = 'credentials.backup.json';

export class StoreFixture implements Disposable {
  readonly parent: string;
  readonly directory: string;
  readonly log = new RecordingLogger();

  constructor(parent: string = mkdtempSync(join(tmpdir(), 'firstlight-store-'))) {
    this.parent = parent;
    this.directory = join(parent, 'state');
  }

  open(...servers: readonly string[]): ConfCredentialStore {
    return this.openOn([], ...servers);
  }

  /** On a board with this fingerprint. */
  openOn(fingerprint: Fingerprint, ...servers: readonly string[]): ConfCredentialStore {
    const clock = { wallMs: () => Date.UTC(2026, 0, 1) };
    return new ConfCredentialStore(
      this.directory,
      { servers: servers.length > 0 ? servers : [SERVER], fingerprint },
      { clock, log: this.log },
    );
  }

  /** Writes a file into the state directory. */
  put(name: string, content: string | Uint8Array, mode = 0o600): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.directory, name), content, { mode });
    chmodSync(join(this.directory, name), mode);
  }

  get names(): string[] {
    return readdirSync(this.directory).sort();
  }

  bytes(name: string): string {
    return readFileSync(join(this.directory, name), 'latin1');
  }

  /** The content of every file, by name. */
  get contents(): Record<string, string> {
    return Object.fromEntries(this.names.map((name) => [name, this.bytes(name)]));
  }

  mode(name = '.'): string {
    return (statSync(join(this.directory, name)).mode & 0o7777).toString(8);
  }

  [Symbol.dispose](): void {
    if (existsSync(this.directory)) chmodSync(this.directory, 0o700);
    rmSync(this.parent, { recursive: true, force: true });
  }
}

/** The StoreError that `action` rejects with; throws if it resolves or rejects otherwise. */
export async function storeErrorOf(action: Promise<unknown>): Promise<StoreError> {
  const outcome = await action.then(
    () => new Error('it resolved'),
    (error: unknown) => error,
  );
  if (outcome instanceof StoreError) return outcome;
  throw outcome;
}
