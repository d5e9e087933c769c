/** The settings of the table [server]; rows of the table in settings.ts. */

import * as v from 'valibot';
import { parseProxy } from '../values/proxy.ts';
import { ENDPOINTS_MAX, parseServerUrls } from '../values/server-url.ts';
import type { Setting } from './setting.ts';
import { absolutePath, duration, parseWith, text, textOrList } from './value-types.ts';

const HOUR_MS = 3_600_000;
const PEM_KIB_MAX = 256;
const PINS_MAX = 8;

/** Pins of public keys, separated by commas: SHA-256 in Base64 as in RFC 7469 section 2.4. A string result is the problem. */
export function parsePins(text: string): readonly string[] | string {
  const pins = text.split(',').map((pin) => pin.trim().replace(/^sha256[/:]+/i, ''));
  if (pins.length > PINS_MAX) return `has more than ${PINS_MAX} pins`;
  const invalidIndex = pins.findIndex((pin) => !/^[A-Za-z0-9+/]{43}=$/.test(pin));
  return invalidIndex === -1
    ? pins
    : `has an invalid part ${invalidIndex + 1} (expected a SHA-256 hash in Base64)`;
}

export const serverSettings = {
  serverUrl: {
    key: 'server.url',
    isRemote: true,
    type: 'URL',
    bound: `coap://host[:port], coaps://host[:port], http://host[:port] or https://host[:port], default ports 5683, 5684, 80 and 443, an IPv6 address in brackets; at most ${ENDPOINTS_MAX} URLs, as a list or separated by commas`,
    example: 'coap://thingsboard.example.com',
    meaning:
      'URL of the ThingsBoard server, or several URLs of the same server in order of preference. The agent uses the first URL that works. This is the only required setting.',
    schema: v.pipe(textOrList('a URL'), parseWith(parseServerUrls)),
  },
  serverSpread: {
    key: 'server.spread',
    isRemote: true,
    default: '2s',
    meaning:
      'Maximum random delay before the first request, so that gateways that boot together do not send at the same time. It also spreads the readings and the delivery of queued readings.',
    ...duration(0, HOUR_MS, '2s'),
  },
  serverProxy: {
    key: 'server.proxy',
    type: 'URL',
    bound: 'http://[name:password@]host[:port] | none; default port 3128',
    example: 'http://proxy.example.com:3128',
    meaning:
      'Forward proxy for http and https; coap and coaps do not use it. Without this setting, the agent uses the environment variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY. The value none disables the proxy.',
    schema: v.pipe(text('a URL'), parseWith(parseProxy)),
  },
  serverCaFile: {
    key: 'server.ca-file',
    meaning:
      'CA certificates (PEM) that the agent trusts for coaps and https, in addition to those of this host.',
    ...absolutePath('/etc/firstlight/ca.pem', PEM_KIB_MAX),
  },
  serverPin: {
    key: 'server.pin-sha256',
    type: 'list',
    bound: `at most ${PINS_MAX} SHA-256 hashes in Base64 (44 characters each), separated by commas`,
    example: 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=',
    meaning:
      'Hashes of the public keys that the server may use. Its certificate must be trusted as well. Before the server changes its key, add the hash of the new key. To compute a hash: openssl x509 -pubkey -noout -in cert.pem | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64',
    schema: v.pipe(text('a list of pins'), parseWith(parsePins)),
  },
  serverCertFile: {
    key: 'server.cert-file',
    meaning:
      'Client certificate (PEM, followed by its chain), for a server that requires one. Set key-file as well. With coaps, it is the X.509 credentials of the device in ThingsBoard: there is no access token, and every URL must be coaps.',
    ...absolutePath('/etc/firstlight/client.pem', PEM_KIB_MAX),
  },
  serverKeyFile: {
    key: 'server.key-file',
    meaning: 'Private key of cert-file (PEM, without a password). Make it readable by the service only.',
    ...absolutePath('/run/credentials/firstlight.service/firstlight.key', PEM_KIB_MAX),
  },
} as const satisfies Record<string, Setting>;
