/**
 * The verdict on each refusal: how soon to try again, how loud to be, and what the operator should do.
 *
 * One table, one row per reason, nothing decided elsewhere. A sentence names the cause and a remedy; it holds
 * no variable part, so it can be searched for; what varies goes into log fields.
 */

import type { Schedule } from './backoff.ts';
import type { FailureReason } from './failure.ts';

export interface FailurePolicy {
  /** `warn` heals by itself; `error` needs a person. */
  readonly level: 'warn' | 'error';
  readonly schedule: Schedule;
  readonly sentence: string;
}

/** The server is there and asks for mercy. */
const OVERLOAD: Schedule = { baseMs: 5_000, capMs: 5 * 60_000 };
/** A token that worked is not taken any more: a person is probably changing something. */
const AUTH_FAILURE: Schedule = { baseMs: 15_000, capMs: 10 * 60_000 };
/** Our own disk: it is asked again before long, because whoever mends it waits for that. */
const STORAGE: Schedule = { baseMs: 10_000, capMs: 10 * 60_000 };
/** Someone has to change something first. */
const NEEDS_ACTION: Schedule = { baseMs: 60_000, capMs: 60 * 60_000 };

/** The road or the server is away: come back soon, but not all at once. */
export const OUTAGE: Schedule = { baseMs: 2_000, capMs: 2 * 60_000 };
/** Somebody has to mend something that is not ThingsBoard's: a certificate, a proxy, a name. */
const NEEDS_REPAIR: Schedule = { baseMs: 60_000, capMs: 10 * 60_000 };

export const ENDPOINT_FAILURE_POLICIES = {
  'upstream-unavailable': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'something in front of ThingsBoard answers, but ThingsBoard behind it does not: check that ThingsBoard runs and that the proxy in front reaches it',
  },
  'certificate-date-invalid': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the certificate of the server is not valid at this time: renew it on the server, and check that the new one is in use',
  },
  'clock-wrong': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the clock of this host is wrong, so the certificate of the server seems not to be valid: check the time service of this host; it is tried again until the clock is right',
  },
  'certificate-name-mismatch': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the certificate of the server is for another name: check the host in server.url, or have a certificate made for that name',
  },
  'certificate-untrusted': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the certificate of the server comes from an issuer this host does not trust: check who that is, and if it is your own, set server.ca-file to its certificate',
  },
  'certificate-pin-mismatch': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the public key of the server is none of those that are pinned: check whether its key was renewed, and if so set the pin in [server] to the new one',
  },
  'client-certificate-rejected': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the server wants a client certificate, or does not take ours: set server.cert-file and server.key-file, and check that its issuer and its dates suit the server',
  },
  'tls-version-mismatch': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the server offers no version or cipher of TLS that is safe enough: set up a newer TLS on the server or on the proxy in front of it',
  },
  'tls-failed': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the encrypted connection to the server cannot be set up: check that the port of server.url speaks TLS, and that nothing on the way interferes',
  },
  'proxy-unreachable': {
    level: 'warn',
    schedule: OUTAGE,
    sentence: 'the proxy cannot be reached: check server.proxy or HTTPS_PROXY, and that the proxy runs',
  },
  'proxy-denied': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the proxy does not let us through to the server: check its rules and the name and password in server.proxy or HTTPS_PROXY',
  },
  'captive-portal': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'a web page or another site answers instead of ThingsBoard: check whether this network wants a log-in first, and that server.url names the device API',
  },
  'redirect-not-followed': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'the server redirects us to where we must not or cannot go: check server.url, and set it to the address that answers itself',
  },
  'endpoints-inconsistent': {
    level: 'error',
    schedule: NEEDS_REPAIR,
    sentence:
      'one way to the server does not know the token that another one has accepted: check that all of server.url leads to the same ThingsBoard',
  },
} as const satisfies Partial<Record<FailureReason, FailurePolicy>>;

export const FAILURE_POLICIES = {
  unauthorized: {
    level: 'error',
    schedule: AUTH_FAILURE,
    sentence:
      'the server does not accept our access token: check that the device exists in ThingsBoard and that its token was not changed',
  },
  'provisioning-key-unknown': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'the server does not know the provisioning key and secret: compare provisioning.key and provisioning.secret with the device profile, and check that provisioning is enabled there',
  },
  'provisioning-declined': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'the server declined to provision this name: delete the device of that name in ThingsBoard (for a pre-provisioned one its server attribute provisionState), raise the device limit, or set another device.name',
  },
  'request-malformed': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'the server calls our request malformed: check that the device profile takes JSON payloads, and report this as a bug of firstlight if it does',
  },
  'server-overloaded': {
    level: 'warn',
    schedule: OVERLOAD,
    sentence:
      'the server answers with an internal error: it is overloaded, limits our rate, or the device profile has another transport type than DEFAULT or COAP or the strategy of certificate chains; if it lasts, check these in ThingsBoard',
  },
  'server-timeout': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the server does not answer: check that it runs and that every firewall on the way lets server.url pass (coap is UDP, http and https are TCP)',
  },
  'no-response-after-ack': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the server acknowledges requests but does not answer them: check the health of the ThingsBoard core and its queue',
  },
  'port-closed': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the host of the server is reachable but nothing listens there: check the port of server.url and that this transport of ThingsBoard is enabled',
  },
  'no-route': {
    level: 'warn',
    schedule: OUTAGE,
    sentence: 'there is no route to the server: check the network link, the address and the default route',
  },
  'dns-failed': {
    level: 'warn',
    schedule: OUTAGE,
    sentence: 'the name of the server cannot be resolved: check server.url and the name servers of this host',
  },
  'connection-reset': {
    level: 'warn',
    schedule: OUTAGE,
    sentence:
      'the server resets our requests or closes the connection: check that ThingsBoard, and nothing else, listens at server.url, and that nothing on the way cuts connections',
  },
  'unexpected-response': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'the answer is not one of ThingsBoard: check that server.url names its CoAP transport (coap) or its HTTP device API (http, https), or a proxy that passes all of its paths on',
  },
  ...ENDPOINT_FAILURE_POLICIES,
  'request-build-failed': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'our own request cannot be built: check device.token and credentials.json, and report this as a bug of firstlight if they are right',
  },
  'provisioning-key-missing': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'there are no usable credentials and no provisioning pair: set provisioning.key and provisioning.secret of the device profile and restart firstlight',
  },
  'credentials-type-unsupported': {
    level: 'error',
    schedule: NEEDS_ACTION,
    sentence:
      'the server issued credentials that are no access token: set the credentials type of the device in ThingsBoard to access token and delete its server attribute provisionState, or choose the strategy that allows to create devices',
  },
  'credentials-storage-failed': {
    level: 'error',
    schedule: STORAGE,
    sentence:
      'the credentials cannot be read or stored, and no new ones are asked for: check space, rights and health of the state directory',
  },
  'credentials-unreadable': {
    level: 'error',
    schedule: STORAGE,
    sentence:
      'the credentials cannot be read, because both files are damaged: restore credentials.json from a backup, or run firstlight credentials set with the token, or delete the device in ThingsBoard and run firstlight credentials forget',
  },
  'credentials-newer': {
    level: 'error',
    schedule: STORAGE,
    sentence:
      'the credentials were written by a later version of firstlight, and are left as they are: install that version again, or run firstlight credentials set with the token, or delete the device and run firstlight credentials forget',
  },
  aborted: { level: 'warn', schedule: OUTAGE, sentence: 'the agent is stopping: nothing to do' },
} as const satisfies Record<FailureReason, FailurePolicy>;
