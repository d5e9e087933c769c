/**
 * The form of access tokens. ThingsBoard accepts almost any text as a token (contract section 14), but each transport
 * sends it as one segment of a path and has its own limits. A configured token must fit both; one that the server
 * issued is used over the transport that it fits.
 */

import type { Secret } from './secret.ts';

/** The server accepts longer ones, but a request with them would exceed every datagram; characters. */
const TOKEN_LENGTH_MAX = 1024;
/** A Uri-Path option (RFC 7252 section 5.10), bytes. */
const URI_PATH_BYTES_MAX = 255;

/** Whether a text can be stored and used as a token over at least one transport. */
export function isAccessToken(text: string): boolean {
  if (text.length === 0 || text.length > TOKEN_LENGTH_MAX) return false;
  // Half a surrogate pair has no encoding in UTF-8.
  return !/\p{Surrogate}/u.test(text) && !isDotSegment(text);
}

/**
 * Why a text cannot be configured as a token, whatever the transport: continues "the access token …". Stricter than for a
 * token that the server issued, because a space or an umlaut is usually a mistake of copying.
 */
export function configuredObstacle(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text.length > URI_PATH_BYTES_MAX) return `is longer than ${URI_PATH_BYTES_MAX} characters`;
  if (isDotSegment(text)) return 'is . or .., which a path cannot contain';
  const [character] = /[^\x21-\x2e\x30-\x3e\x40-\x7e]/u.exec(text) ?? [];
  return character === undefined ? undefined : `contains ${describeCharacter(character)}`;
}

/** Why CoAP cannot carry the token: continues the sentence "the access token …". Undefined: it can. */
export function coapObstacle(token: Secret): string | undefined {
  const text = token.reveal();
  if (!isAccessToken(text)) return 'is no path segment';
  return utf8Length(text) > URI_PATH_BYTES_MAX ? `is longer than ${URI_PATH_BYTES_MAX} bytes` : undefined;
}

/**
 * Why HTTP cannot carry the token: continues the sentence "the access token …". Undefined: it can. The web server of
 * ThingsBoard (Spring's StrictHttpFirewall) rejects some characters in a path, encoded or not, before it looks at
 * the token (contract section 14).
 */
export function httpObstacle(token: Secret): string | undefined {
  const text = token.reveal();
  if (!isAccessToken(text)) return 'is no path segment';
  const [character] = /[;%\\/\p{Cc}\u2028\u2029]/u.exec(text) ?? [];
  return character === undefined ? undefined : `contains ${describeCharacter(character)}`;
}

function describeCharacter(character: string): string {
  if (character === ' ') return 'a space';
  if (/\p{Cc}/u.test(character)) return 'a control character';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /^[!-~]$/.test(character) ? character : `the non-ASCII character U+${code}`;
}

/** `.` and `..` are removed from a path (RFC 3986 section 5.2.4) and forbidden in CoAP (RFC 7252 section 5.10.1). */
function isDotSegment(text: string): boolean {
  return text === '.' || text === '..';
}

/** The core may not use Buffer. */
function utf8Length(text: string): number {
  return encodeURIComponent(text).replace(/%../g, '.').length;
}
