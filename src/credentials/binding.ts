/** What a record is bound to: a card in another board, or another server, must not use it, and must not be told its token. */

import { isSameServer } from '../core/failover/same-server.ts';
import { type Fingerprint, isSameBoard } from '../core/model/board-fingerprint.ts';
import type { StoredRecord } from './record.ts';

export interface Binding {
  /** The URLs of the one server there is (core/same-server.ts), in any order. */
  readonly servers: readonly string[];
  readonly fingerprint: Fingerprint;
}

/** Of which other thing the record is, if it is: of a server before a board. */
export function bindingMismatch(stored: StoredRecord, binding: Binding): 'server' | 'board' | undefined {
  const { record, servers = [], fingerprint } = stored;
  if (!isSameServer([record.server, ...servers], binding.servers)) return 'server';
  return isSameBoard(fingerprint, binding.fingerprint) ? undefined : 'board';
}
