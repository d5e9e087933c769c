/** Faults of encryption: certificates, versions, pins, and a clock by which all certificates look wrong. */

import type { TlsOptions } from 'node:tls';
import { Authority } from '../doubles/certificates.ts';
import { openTlsFront } from '../doubles/tls-front.ts';
import { type Broken, type Fault, healthyAt, httpUrl, type Place, withToken } from './fault.ts';
import { FAKETIME } from './needs.ts';

/** A healthy server behind TLS, for a gateway that trusts `ours`. */
async function behind(at: Place, ours: Authority, options: TlsOptions, server = ''): Promise<string> {
  const { httpPort } = await healthyAt(at);
  const front = await openTlsFront(httpPort, options);
  at.later(() => front[Symbol.asyncDispose]());
  return withToken(`https://localhost:${front.port}`, {
    server: `ca-file = "${ours.pem.certFile}"\n${server}`,
  });
}

const by = (make: (ours: Authority, at: Place) => Promise<string | Broken>) => async (at: Place) => {
  const ours = new Authority();
  at.later(() => ours[Symbol.dispose]());
  return make(ours, at);
};

const fault = (
  name: string,
  event: Fault['event'],
  make: Fault['make'],
  more: Partial<Fault> = {},
): Fault => ({
  name,
  event,
  doctor: 'HTTPS path',
  needs: 'openssl',
  make,
  ...more,
});

export const TLS_FAULTS: readonly Fault[] = [
  fault(
    'certificate expired',
    'FL-CERTIFICATE-DATE-INVALID',
    by((ours, at) => behind(at, ours, ours.issue({ from: '20200101000000Z', to: '20210101000000Z' }))),
    { message: 'to 2021-01-01' },
  ),
  fault(
    'certificate not valid yet',
    'FL-CERTIFICATE-DATE-INVALID',
    by((ours, at) => behind(at, ours, ours.issue({ from: '20400101000000Z', to: '20410101000000Z' }))),
    { message: 'valid from 2040-01-01' },
  ),
  fault(
    'clock of this host two years back',
    'FL-CLOCK-WRONG',
    by(async (ours, at) => {
      const config = await behind(at, ours, ours.issue());
      const environment = { LD_PRELOAD: FAKETIME, FAKETIME: '-2y', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
      return { config, environment };
    }),
    { needs: 'faketime and openssl' },
  ),
  fault(
    'certificate for another name',
    'FL-CERTIFICATE-NAME-MISMATCH',
    by((ours, at) => behind(at, ours, ours.issue({ names: 'DNS:other.example' }))),
    { message: 'other.example' },
  ),
  fault(
    'certificate of an unknown issuer',
    'FL-CERTIFICATE-UNTRUSTED',
    by((ours, at) => {
      const theirs = new Authority('Somebody Else');
      at.later(() => theirs[Symbol.dispose]());
      return behind(at, ours, theirs.issue());
    }),
    { message: 'Somebody Else' },
  ),
  fault(
    'key of the server is not the pinned one',
    'FL-CERTIFICATE-PIN-MISMATCH',
    by((ours, at) => behind(at, ours, ours.issue(), `pin-sha256 = "${Buffer.alloc(32).toString('base64')}"`)),
  ),
  fault(
    'client certificate wanted',
    'FL-CLIENT-CERTIFICATE-REJECTED',
    by((ours, at) =>
      behind(at, ours, {
        ...ours.issue(),
        requestCert: true,
        rejectUnauthorized: true,
        ca: ours.pem.cert,
      }),
    ),
  ),
  fault(
    'TLS version too old',
    'FL-TLS-VERSION-MISMATCH',
    by((ours, at) =>
      behind(at, ours, {
        ...ours.issue(),
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    ),
  ),
  {
    name: 'TLS to a port without it',
    event: 'FL-TLS-FAILED',
    doctor: 'HTTPS path',
    make: async (at) =>
      withToken((await httpUrl(at, (_request, response) => response.end())).replace('http:', 'https:')),
  },
];
