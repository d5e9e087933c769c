/** The credential record, its stored form and its binding to a server and a board. */

import { isAccessToken } from '../core/model/access-token.ts';
import { type Fingerprint, isSameBoard } from '../core/model/board-fingerprint.ts';
import { Secret } from '../core/model/secret.ts';
import type { CredentialRecord } from '../core/ports/credentials.ts';

/**
 * {"version":1, "state":"pending"|"provisioned", "server":"coap://…", "deviceName":"…", "sinceMs":…, "token":"…",
 * "previousToken":"…", "fingerprint":["serial:…"], "servers":["https://…"]}. `token` is absent only in a pending record of
 * server-generated mode; `previousToken` is present only while a revoked token is still tried; `servers` are further URLs of the
 * same server, which an agent before 0.2 does not read.
 */
export const RECORD_VERSION = 1;

export interface StoredRecord {
  readonly record: CredentialRecord;
  /** Of the board that wrote it; empty if unknown. */
  readonly fingerprint: Fingerprint;
  /** Other URLs that were ever configured together with the record's server. */
  readonly servers?: readonly string[];
}

/** The server and board that a record is bound to. No other board may use it, and no other server may receive its token. */
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

/** The oldest URLs are dropped first. */
export const SERVERS_MAX = 16;

/** Whether a server has issued its token. An attempt to replace a rejected token counts, because of its previous token. */
export function wasIssued(record: CredentialRecord): boolean {
  return record.state === 'provisioned' || record.previousToken !== undefined;
}

export function toDisk({
  record,
  fingerprint,
  servers = [],
}: StoredRecord): Record<string, string | number | readonly string[]> {
  const { state, server, deviceName, sinceMs, token } = record;
  const previous = record.state === 'pending' ? record.previousToken : undefined;
  return {
    version: RECORD_VERSION,
    state,
    server,
    deviceName,
    sinceMs,
    ...(token && { token: token.reveal() }),
    ...(previous && { previousToken: previous.reveal() }),
    ...(fingerprint.length > 0 && { fingerprint }),
    ...(servers.length > 0 && { servers }),
  };
}

export type ParsedRecord =
  | ({ readonly ok: true } & StoredRecord)
  | { readonly ok: false; readonly isNewer: boolean; readonly problem: string };

/** A problem continues the sentence "the file …". */
export function fromDisk(stored: Readonly<Record<string, unknown>>): ParsedRecord {
  const { version, state, server, deviceName, sinceMs } = stored;
  if (typeof version === 'number' && version > RECORD_VERSION) {
    const problem = `has version ${version} of a newer agent; this agent supports version ${RECORD_VERSION}`;
    return { ok: false, isNewer: true, problem };
  }
  if (version !== RECORD_VERSION) return invalid('has no known version');
  if (typeof server !== 'string' || typeof deviceName !== 'string' || typeof sinceMs !== 'number') {
    return invalid('has no server, device name or date');
  }
  const token = parseToken(stored['token']);
  const previousToken = parseToken(stored['previousToken']);
  if (token === 'invalid' || previousToken === 'invalid') return invalid('has an invalid token');
  const fingerprint = parseTexts(stored['fingerprint']);
  const servers = parseTexts(stored['servers']).slice(-SERVERS_MAX);
  const binding = { fingerprint, ...(servers.length > 0 && { servers }) };
  const common = { server, deviceName, sinceMs };
  if (state === 'pending') {
    const tokens = { ...(token && { token }), ...(previousToken && { previousToken }) };
    return { ok: true, ...binding, record: { state, ...common, ...tokens } };
  }
  if (state !== 'provisioned') return invalid('has an unknown state');
  if (!token) return invalid('is provisioned but has no token');
  return { ok: true, ...binding, record: { state, ...common, token } };
}

function parseToken(value: unknown): Secret | undefined | 'invalid' {
  if (value === undefined) return undefined;
  return typeof value === 'string' && isAccessToken(value) ? new Secret(value) : 'invalid';
}

/** An invalid fingerprint or list of servers is the same as none. */
function parseTexts(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : [];
}

function invalid(problem: string): ParsedRecord {
  return { ok: false, isNewer: false, problem };
}

/**
 * True if any URL of one list and any URL of the other (`scheme://host:port`) belong to one server as far as credentials are
 * concerned: the same URL, or the same host with another scheme: a gateway that moves from CoAP to HTTPS must find its
 * credentials, and the ports of two schemes are unrelated. The same scheme with another port is another
 * server.
 */
export function isSameServer(urls: readonly string[], otherUrls: readonly string[]): boolean {
  return urls.some((url) =>
    otherUrls.some((otherUrl) => url === otherUrl || isSameHostOtherScheme(url, otherUrl)),
  );
}

function isSameHostOtherScheme(url: string, otherUrl: string): boolean {
  const [a, b] = [parseUrl(url), parseUrl(otherUrl)];
  return a !== undefined && b !== undefined && a.host === b.host && a.scheme !== b.scheme;
}

function parseUrl(url: string): { readonly scheme: string; readonly host: string } | undefined {
  const [, scheme, host] = /^([a-z]+):\/\/(.+?)(?::\d+)?$/.exec(url) ?? [];
  return scheme === undefined || host === undefined ? undefined : { scheme, host };
}
