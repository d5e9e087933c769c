/** The settings of where the readings go and by which roads; rows of the table in schema.ts. */

import * as v from 'valibot';
import { PINS_MAX, parsePins } from '../values/pins.ts';
import { parseProxy } from '../values/proxy.ts';
import { ENDPOINTS_MAX, parseServerUrls } from '../values/server-url.ts';
import type { Setting } from './setting.ts';
import { absolutePath, duration, parseWith, text, textOrList } from './value-types.ts';

const HOUR_MS = 3_600_000;
const PEM_KIB_MAX = 256;

export const serverSettings = {
  serverUrl: {
    key: 'server.url',
    type: 'URL',
    bound: `coap://host[:port], http://host[:port] or https://host[:port], ports 5683, 80 and 443 unless given, an IPv6 address in brackets; at most ${ENDPOINTS_MAX} of them, as a list or separated by commas`,
    example: 'coap://thingsboard.example.com',
    meaning:
      'The ThingsBoard server. The only setting that must be given. Of several URLs of one server the first that works is used.',
    schema: v.pipe(textOrList('a URL'), parseWith(parseServerUrls)),
  },
  serverSpread: {
    key: 'server.spread',
    default: '2s',
    meaning:
      'The first request waits a random part of this, and readings are spread as far, so that a fleet that boots at once does not arrive at once.',
    ...duration(0, HOUR_MS, '2s'),
  },
  serverProxy: {
    key: 'server.proxy',
    type: 'URL',
    bound: 'http://[name:password@]host[:port] | none; port 3128 unless given',
    example: 'http://proxy.example.com:3128',
    meaning:
      'The forward proxy for http and https. Unless given, HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment count; none means none.',
    schema: v.pipe(text('a URL'), parseWith(parseProxy)),
  },
  serverCaFile: {
    key: 'server.ca-file',
    meaning: 'Certificates (PEM) of issuers that https trusts beside those of this host.',
    ...absolutePath('/etc/firstlight/ca.pem', PEM_KIB_MAX),
  },
  serverPin: {
    key: 'server.pin-sha256',
    type: 'list',
    bound: `at most ${PINS_MAX} of SHA-256 in Base64 (44 characters), separated by commas`,
    example: 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=',
    meaning:
      "Public keys the server may have, beside a certificate that is trusted: openssl x509 -pubkey -noout -in cert.pem | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64. Give the next key's, too, before it is used.",
    schema: v.pipe(text('a list of pins'), parseWith(parsePins)),
  },
  serverCertFile: {
    key: 'server.cert-file',
    meaning: 'Our own certificate (PEM, its chain below it), where the server asks for one. With key-file.',
    ...absolutePath('/etc/firstlight/client.pem', PEM_KIB_MAX),
  },
  serverKeyFile: {
    key: 'server.key-file',
    meaning: 'The private key of cert-file (PEM, no password), readable by the service only.',
    ...absolutePath('/run/credentials/firstlight.service/firstlight.key', PEM_KIB_MAX),
  },
} as const satisfies Record<string, Setting>;
