/** The verdicts on what stands between the agent and the server: TLS, proxies, redirects; rows of verdicts.ts. */

import type { Schedule } from './backoff.ts';
import type { RefusalReason } from './refusal.ts';
import type { Verdict } from './verdicts.ts';

/** The road or the server is away: come back soon, but not all at once. */
export const OUTAGE: Schedule = { baseMs: 2_000, capMs: 2 * 60_000 };
/** Somebody has to mend something that is not ThingsBoard's: a certificate, a proxy, a name. */
const MENDED: Schedule = { baseMs: 60_000, capMs: 10 * 60_000 };

export const ROAD_VERDICTS = {
  'upstream-away': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'something in front of ThingsBoard answers, but ThingsBoard behind it does not: check that ThingsBoard runs and that the proxy in front reaches it',
  },
  'certificate-dates': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the certificate of the server is not valid at this time: renew it on the server, and check that the new one is in use',
  },
  'clock-wrong': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the clock of this host is wrong, so the certificate of the server seems not to be valid: check the time service of this host; it is tried again until the clock is right',
  },
  'certificate-name': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the certificate of the server is for another name: check the host in server.url, or have a certificate made for that name',
  },
  'certificate-untrusted': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the certificate of the server comes from an issuer this host does not trust: check who that is, and if it is your own, set server.ca-file to its certificate',
  },
  'certificate-pin': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the public key of the server is none of those that are pinned: check whether its key was renewed, and if so set the pin in [server] to the new one',
  },
  'client-certificate': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the server wants a client certificate, or does not take ours: set server.cert-file and server.key-file, and check that its issuer and its dates suit the server',
  },
  'tls-version': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the server offers no version or cipher of TLS that is safe enough: set up a newer TLS on the server or on the proxy in front of it',
  },
  'tls-failed': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the encrypted connection to the server cannot be set up: check that the port of server.url speaks TLS, and that nothing on the way interferes',
  },
  'proxy-away': {
    level: 'warn',
    schedule: OUTAGE,
    sentence: 'the proxy cannot be reached: check server.proxy or HTTPS_PROXY, and that the proxy runs',
  },
  'proxy-refused': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the proxy does not let us through to the server: check its rules and the name and password in server.proxy or HTTPS_PROXY',
  },
  'captive-portal': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'a web page or another site answers instead of ThingsBoard: check whether this network wants a log-in first, and that server.url names the device API',
  },
  redirected: {
    level: 'error',
    schedule: MENDED,
    sentence:
      'the server redirects us to where we must not or cannot go: check server.url, and set it to the address that answers itself',
  },
  'roads-disagree': {
    level: 'error',
    schedule: MENDED,
    sentence:
      'one way to the server does not know the token that another one has accepted: check that all of server.url leads to the same ThingsBoard',
  },
} as const satisfies Partial<Record<RefusalReason, Verdict>>;
