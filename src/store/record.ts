/**
 * The credential record as it lies on the disk, and back: JSON with a version, parsed and never trusted.
 *
 * Version 1: {"version":1,"state":"pending"|"provisioned","server":"coap://…","deviceName":"…","token":"…","sinceMs":…}. `token` is
 * absent only in a pending record of server-generated mode. A record of a later version is left alone: an older agent must not guess.
 */

import type { CredentialRecord } from '../core/ports.ts';
import { Secret } from '../core/secret.ts';

export const RECORD_VERSION = 1;

export function toDisk(record: CredentialRecord): Record<string, string | number> {
  const { state, server, deviceName, sinceMs, token } = record;
  return {
    version: RECORD_VERSION,
    state,
    server,
    deviceName,
    sinceMs,
    ...(token && { token: token.reveal() }),
  };
}

/** The record, undefined for an empty store, or a few words on what is wrong with it. */
export function fromDisk(
  stored: Readonly<Record<string, unknown>>,
): { ok: true; record: CredentialRecord | undefined } | { ok: false; problem: string } {
  if (Object.keys(stored).length === 0) return { ok: true, record: undefined };
  const { version, state, server, deviceName, sinceMs, token } = stored;
  if (typeof version === 'number' && version > RECORD_VERSION) {
    return bad(`is of version ${version}, written by a later firstlight; this one knows ${RECORD_VERSION}`);
  }
  if (version !== RECORD_VERSION) return bad('has no known version');
  if (typeof server !== 'string' || typeof deviceName !== 'string' || typeof sinceMs !== 'number') {
    return bad('lacks its server, device name or date');
  }
  const known = { server, deviceName, sinceMs };
  if (token !== undefined && (typeof token !== 'string' || token === '')) return bad('has an unusable token');
  if (state === 'pending') {
    return {
      ok: true,
      record: { state, ...known, ...(token !== undefined && { token: new Secret(token) }) },
    };
  }
  if (state !== 'provisioned') return bad('has an unknown state');
  return token === undefined
    ? bad('says provisioned but has no token')
    : { ok: true, record: { state, ...known, token: new Secret(token) } };
}

function bad(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}
