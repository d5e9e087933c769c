/**
 * The sentence of each failure: "cause: remedy", constant, so that it can be searched for; variable parts are log fields. Level and
 * retry schedule are in failures/policies.ts.
 */

import type { FailureReason } from '../failures/failure.ts';

export const FAILURE_SENTENCES = {
  unauthorized:
    'the server rejects the access token: check that the device exists in ThingsBoard and that its token was not changed',
  'provisioning-key-unknown':
    'the server does not know the provisioning key and secret: compare provisioning.key and provisioning.secret with the device profile, and check that provisioning is enabled there',
  'provisioning-declined':
    'the server declined to provision this device name: delete the device of that name in ThingsBoard (for a pre-provisioned one its server attribute provisionState), raise the device limit, or set another device.name',
  'request-malformed':
    'the server rejects the request as malformed: check that the device profile accepts JSON payloads, and if it does, report this as a Firstlight bug',
  'server-overloaded':
    'the server is overloaded, limits the rate, or has an unsuitable device profile: check in ThingsBoard the load, the rate limits and the profile, which must have transport type DEFAULT or COAP and no certificate-chain strategy',
  'server-timeout':
    'the server does not respond: check that it runs and that every firewall on the path allows server.url (coap and coaps are UDP, http and https are TCP)',
  'no-response-after-ack':
    'the server acknowledges requests but does not respond to them: check the health of the ThingsBoard core and its queue',
  'port-closed':
    'the host of the server is reachable, but nothing listens on the port: check the port of server.url, and that this transport of ThingsBoard is enabled',
  'no-route': 'there is no route to the server: check the network link, the address and the default route',
  'dns-failed':
    'the host name of the server cannot be resolved: check server.url and the DNS servers of this host',
  'connection-reset':
    'the server resets requests or closes the connection: check that ThingsBoard listens at server.url, and that nothing on the path closes connections',
  'unexpected-response':
    'the response does not come from ThingsBoard: check that server.url names its CoAP transport (coap, coaps), its HTTP device API (http, https) or a proxy that forwards all its paths',
  'request-blocked':
    'a program in front of ThingsBoard denies the request, such as a firewall, a CDN, an API gateway or a proxy: allow the device API there without a log-in and without a bot check, or set server.url to ThingsBoard itself',
  'upstream-unavailable':
    'a proxy or load balancer responds, but ThingsBoard behind it does not: check that ThingsBoard runs and that the proxy can reach it',
  'certificate-date-invalid':
    'the server certificate has expired or is not valid yet: renew it on the server, and check that the server uses the new one',
  'clock-wrong':
    'the clock of this host is wrong, so the server certificate appears to be invalid; the agent retries until the clock is right: check the time service of this host',
  'certificate-name-mismatch':
    'the server certificate is for another host name: check the host in server.url, or give the server a certificate for that name',
  'certificate-untrusted':
    'this host does not trust the issuer of the server certificate: check the issuer, and if it is your own, set server.ca-file to its certificate',
  'certificate-pin-mismatch':
    'the public key of the server matches none of the pinned keys: check whether the server key was renewed, and if so, set the pin in [server] to the new key',
  'client-certificate-rejected':
    'the server requires a client certificate or rejects the configured one: set server.cert-file and server.key-file, check that the server accepts its issuer and dates, and over coaps, that it is the credentials of a device',
  'tls-version-mismatch':
    'the server offers no TLS version or cipher that is secure enough: set up a newer TLS version on the server or on the proxy in front of it',
  'tls-failed':
    'the encrypted connection to the server cannot be established: check that the port of server.url accepts TLS and that nothing on the path interferes',
  'dtls-unavailable':
    'coaps needs the helper program firstlight-dtls, which is missing or does not run on this host: check that the package firstlight-dtls is installed in the version of firstlight, or set server.url to https',
  'dtls-version-mismatch':
    'the installed package firstlight-dtls does not match firstlight: install firstlight-dtls in the version of firstlight, or set server.url to https',
  'proxy-unreachable':
    'the proxy cannot be reached: check server.proxy or HTTPS_PROXY, and that the proxy runs',
  'proxy-denied':
    'the proxy does not give access to the server: check the proxy rules, and the user name and password in server.proxy or HTTPS_PROXY',
  'captive-portal':
    'a web page or another site responds instead of ThingsBoard: check whether this network requires a log-in, and that server.url names the device API',
  'redirect-not-followed':
    'the server redirects to an address that the agent must not or cannot use: check server.url, and set it to the final address',
  'endpoints-inconsistent':
    'an endpoint does not know the access token that another endpoint accepted: check that all URLs in server.url lead to the same ThingsBoard',
  'token-unsuitable':
    'requests over this transport cannot carry the access token: give the device a token of letters and digits in ThingsBoard and store it with firstlight credentials set, or add a URL of the other transport (coaps or https) to server.url',
  'request-build-failed':
    'the agent cannot build the request: check device.token and credentials.json, and if they are correct, report this as a Firstlight bug',
  'provisioning-key-missing':
    'there are no usable credentials and no provisioning key: set provisioning.key and provisioning.secret to those of the device profile, then restart firstlight',
  'credentials-type-unsupported':
    'the server issued credentials that are not an access token: set the credentials type of the device to access token and delete its server attribute provisionState, or choose the strategy that allows devices to be created',
  'credentials-storage-failed':
    'the credentials cannot be read or stored, so the agent sends no provisioning request: check the free space, permissions and health of the state directory',
  'credentials-unreadable':
    'the credentials cannot be read because both files are damaged: restore credentials.json from a backup, run firstlight credentials set with the token, or delete the device in ThingsBoard and run firstlight credentials forget',
  'credentials-newer':
    'a newer version of Firstlight wrote the credentials, and the agent leaves them unchanged: install that version again, run firstlight credentials set with the token, or delete the device and run firstlight credentials forget',
  aborted: 'the agent is stopping: nothing to do',
} as const satisfies Record<FailureReason, string>;
