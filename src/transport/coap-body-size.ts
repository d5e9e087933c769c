/** The size of CoAP messages over DTLS, and how much of one is left for the body of a post. */

import { BODY_BYTES_MAX, utf8Bytes } from '../core/delivery/encode.ts';
import type { Secret } from '../core/model/secret.ts';

/**
 * The longest message over DTLS, bytes: ThingsBoard drops longer ones without a word (its records have 1,024 bytes, contract
 * section 9).
 */
export const DTLS_MESSAGE_BYTES_MAX = 1_024;

/**
 * Bytes of a post over DTLS beside its body and the access token: header, token of the message, Uri-Path options `api`, `v1` and
 * `attributes`, Content-Format, and the marker of the payload (RFC 7252 section 3).
 */
const OTHER_BYTES = 4 + 2 + 4 + 3 + 11 + 2 + 1;
/** Longer options have a second byte of length (RFC 7252 section 3.1). */
const SHORT_OPTION_BYTES = 12;

/** `accessToken`: absent if it is not in the path. At most what packs into a datagram of any path. */
export function coapBodyBytesMax(messageBytesMax: number, accessToken: Secret | undefined): number {
  const bytes = accessToken ? utf8Bytes(accessToken.reveal()) : 0;
  const option = accessToken ? bytes + (bytes > SHORT_OPTION_BYTES ? 2 : 1) : 0;
  return Math.min(BODY_BYTES_MAX, messageBytesMax - OTHER_BYTES - option);
}
