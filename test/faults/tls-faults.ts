/**
 * Faults of encryption: certificates, versions, pins, and a clock with which all certificates look invalid.
 */

import type { TlsOptions } from 'node:tls';
import { Authority } from '../doubles/certificates.ts';
import { openTlsFront } from '../doubles/tls-front.ts';
import { type Fault, type FaultSetup, httpUrl, openHealthyServer, type Place, withToken } from './fault.ts';
import { FAKETIME } from './needs.ts';

/** A healthy server behind TLS, for a gateway that trusts `authority`. */
async function serverBehindTls(
  at: Place,
  authority: Authority,
  options: TlsOptions,
  server = '',
): Promise<string> {
  const { httpPort } = await openHealthyServer(at);
  const front = await openTlsFront(httpPort, options);
  at.later(() => front[Symbol.asyncDispose]());
  return withToken(`https://localhost:${front.port}`, {
    server: `ca-file = "${authority.pem.certFile}"\n${server}`,
  });
}

const withAuthority =
  (make: (authority: Authority, at: Place) => Promise<string | FaultSetup>) => async (at: Place) => {
    const authority = new Authority();
    at.later(() => authority[Symbol.dispose]());
    return make(authority, at);
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
    withAuthority((authority, at) =>
      serverBehindTls(at, authority, authority.issue({ from: '20200101000000Z', to: '20210101000000Z' })),
    ),
    { message: 'to 2021-01-01' },
  ),
  fault(
    'certificate not valid yet',
    'FL-CERTIFICATE-DATE-INVALID',
    withAuthority((authority, at) =>
      serverBehindTls(at, authority, authority.issue({ from: '20400101000000Z', to: '20410101000000Z' })),
    ),
    { message: 'valid from 2040-01-01' },
  ),
  fault(
    'clock of this host two years behind',
    'FL-CLOCK-WRONG',
    withAuthority(async (authority, at) => {
      const config = await serverBehindTls(at, authority, authority.issue());
      const environment = { LD_PRELOAD: FAKETIME, FAKETIME: '-2y', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
      return { config, environment };
    }),
    { needs: 'faketime and openssl' },
  ),
  fault(
    'certificate for another name',
    'FL-CERTIFICATE-NAME-MISMATCH',
    withAuthority((authority, at) =>
      serverBehindTls(at, authority, authority.issue({ names: 'DNS:other.example' })),
    ),
    { message: 'other.example' },
  ),
  fault(
    'certificate of an unknown issuer',
    'FL-CERTIFICATE-UNTRUSTED',
    withAuthority((authority, at) => {
      const foreignAuthority = new Authority('Somebody Else');
      at.later(() => foreignAuthority[Symbol.dispose]());
      return serverBehindTls(at, authority, foreignAuthority.issue());
    }),
    { message: 'Somebody Else' },
  ),
  fault(
    'key of the server is not the pinned one',
    'FL-CERTIFICATE-PIN-MISMATCH',
    withAuthority((authority, at) =>
      serverBehindTls(
        at,
        authority,
        authority.issue(),
        `pin-sha256 = "${Buffer.alloc(32).toString('base64')}"`,
      ),
    ),
  ),
  fault(
    'client certificate required',
    'FL-CLIENT-CERTIFICATE-REJECTED',
    withAuthority((authority, at) =>
      serverBehindTls(at, authority, {
        ...authority.issue(),
        requestCert: true,
        rejectUnauthorized: true,
        ca: authority.pem.cert,
      }),
    ),
    { message: 'ALERT' },
  ),
  fault(
    'TLS version too old',
    'FL-TLS-VERSION-MISMATCH',
    withAuthority((authority, at) =>
      serverBehindTls(at, authority, {
        ...authority.issue(),
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    ),
  ),
  {
    name: 'port without TLS',
    event: 'FL-TLS-FAILED',
    doctor: 'HTTPS path',
    make: async (at) =>
      withToken((await httpUrl(at, (_request, response) => response.end())).replace('http:', 'https:')),
  },
];
