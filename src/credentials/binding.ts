/** The server and board that a record is bound to. No other board may use it, and no other server may receive its token. */

import { isSameServer } from '../core/failover/same-server.ts';
import { type Fingerprint, isSameBoard } from '../core/model/board-fingerprint.ts';
import type { StoredRecord } from './record.ts';

export interface Binding {
  /** URLs of one server (core/failover/same-server.ts), in any order. */
  readonly servers: readonly string[];
  readonly fingerprint: Fingerprint;
}

/** What does not match, if anything: the server takes precedence over the board. */
export function bindingMismatch(stored: StoredRecord, binding: Binding): 'server' | 'board' | undefined {
  const { record, servers = [], fingerprint } = stored;
  if (!isSameServer([record.server, ...servers], binding.servers)) return 'server';
  return isSameBoard(fingerprint, binding.fingerprint) ? undefined : 'board';
}
