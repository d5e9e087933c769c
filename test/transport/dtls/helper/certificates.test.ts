/** What the DTLS helper says about the certificate of a server: each fault apart, with what the agent needs to judge it. */

import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Authority, type Pem } from '../../../doubles/certificates.ts';
import { frame, frontProblem, HelperProcess } from './peers/helper-process.ts';
import { openEcho } from './peers/udp.ts';

describe('the certificate of a coaps server', { skip: frontProblem }, () => {
  let authority: Authority;
  let other: Authority;
  let intermediate: Pem;

  before(() => {
    authority = new Authority();
    other = new Authority('Another Authority');
    intermediate = authority.issue({ names: '', commonName: 'Intermediate', isAuthority: true });
  });

  after(() => {
    authority[Symbol.dispose]();
    other[Symbol.dispose]();
  });

  /** `full`, or the code, the server's certificate and its issuer of the failure. */
  async function judge(
    server: Pick<Pem, 'certFile' | 'keyFile'>,
    name = 'localhost',
    ca = authority.pem.cert,
  ) {
    await using echo = await openEcho(server);
    await using helper = new HelperProcess();
    helper.write(frame('A', ca));
    const { port } = echo;
    const flags = Buffer.from([0, port >> 8, port & 255]);
    helper.write(frame('O', Buffer.concat([flags, Buffer.from(`127.0.0.1\0${name}`)])));
    const { type, payload } = await helper.next('UF');
    if (type === 'U') return { code: 'full' };
    const split = payload.indexOf(0);
    const leafEnd = split + 3 + payload.readUInt16BE(split + 1);
    assert.equal(payload.length, leafEnd + 2 + payload.readUInt16BE(leafEnd));
    return {
      code: payload.toString('latin1', 0, split),
      leaf: payload.subarray(split + 3, leafEnd),
      issuer: payload.subarray(leafEnd + 2),
    };
  }

  /** The files of a certificate and those that the server sends with it. */
  function chain(leaf: Pem, ...above: readonly Pem[]): Pem {
    const certFile = join(authority.directory, `chain-${above.length}-${leaf.certFile.split('/').at(-1)}`);
    writeFileSync(certFile, [leaf, ...above].map(({ cert }) => cert).join(''));
    return { ...leaf, certFile };
  }

  const past = { from: '20200101000000Z', to: '20200201000000Z' };
  const future = { from: '20490101000000Z', to: '20490201000000Z' };
  const cases: readonly [what: string, code: string, server: () => Pem, name?: string][] = [
    ['of the right name', 'full', () => authority.issue()],
    ['of the right address', 'full', () => authority.issue(), '127.0.0.1'],
    ['of an RSA key', 'full', () => authority.issue({ isRsa: true })],
    ['of a wildcard', 'full', () => authority.issue({ names: 'DNS:*.gateway.example' }), 'a.gateway.example'],
    [
      'of a common name only, as for https',
      'full',
      () => authority.issue({ names: '', commonName: 'tb.example' }),
      'tb.example',
    ],
    [
      'through an intermediate that the server sends',
      'full',
      () => chain(authority.issue({ issuer: intermediate }), intermediate),
    ],
    ['expired', 'CERT_HAS_EXPIRED', () => authority.issue(past)],
    ['not yet valid', 'CERT_NOT_YET_VALID', () => authority.issue(future)],
    ['of another name', 'HOSTNAME_MISMATCH', () => authority.issue(), 'tb.example'],
    [
      'of another address',
      'IP_ADDRESS_MISMATCH',
      () => authority.issue({ names: 'IP:127.0.0.2' }),
      '127.0.0.1',
    ],
    [
      'of an address as a name',
      'IP_ADDRESS_MISMATCH',
      () => authority.issue({ names: 'DNS:127.0.0.1' }),
      '127.0.0.1',
    ],
    [
      'of a common name beside other names',
      'HOSTNAME_MISMATCH',
      () => authority.issue({ names: 'DNS:a.example', commonName: 'tb.example' }),
      'tb.example',
    ],
    [
      'of a common name beside an address',
      'HOSTNAME_MISMATCH',
      () => authority.issue({ names: 'IP:127.0.0.1', commonName: 'tb.example' }),
      'tb.example',
    ],
    [
      'of another common name only',
      'HOSTNAME_MISMATCH',
      () => authority.issue({ names: '', commonName: 'a.example' }),
      'tb.example',
    ],
    ['of an unknown issuer', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', () => other.issue()],
    [
      'of an unknown issuer that the server sends',
      'SELF_SIGNED_CERT_IN_CHAIN',
      () => chain(other.issue(), other.pem),
    ],
    [
      'without its intermediate',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      () => authority.issue({ issuer: intermediate }),
    ],
    ['signed by itself', 'DEPTH_ZERO_SELF_SIGNED_CERT', () => other.pem],
    [
      'issued by a certificate that may not issue',
      'INVALID_CA',
      () => {
        const above = authority.issue();
        return chain(authority.issue({ issuer: above }), above);
      },
    ],
  ];
  for (const [what, code, server, name] of cases) {
    it(`${what}: ${code}`, async () => {
      const pem = server();
      const result = await judge(pem, name);
      assert.equal(result.code, code);
      if (result.leaf) assert.ok(result.leaf.equals(new X509Certificate(pem.cert).raw), 'the leaf is there');
    });
  }

  it('the failure has the issuer if the server sends it, and none otherwise', async () => {
    const sent = await judge(chain(other.issue(), other.pem));
    assert.ok(sent.issuer?.equals(new X509Certificate(other.pem.cert).raw));
    assert.equal((await judge(other.issue())).issuer?.length, 0);
    assert.equal((await judge(other.pem)).issuer?.length, 0, 'itself is no issuer');
  });

  it('a self-signed certificate in the CA file is trusted', async () => {
    const own = other.issue({ names: 'DNS:localhost' });
    assert.equal((await judge(own, 'localhost', authority.pem.cert + other.pem.cert)).code, 'full');
  });

  it('a server with the right certificate and another key is refused', async () => {
    const right = authority.issue();
    const thief = authority.issue();
    // OpenSSL compares public keys, so the thief's file has the right public key and its own private one.
    const publicKey = new X509Certificate(right.cert).publicKey.export({ type: 'spki', format: 'der' });
    const privateKey = createPrivateKey(thief.key).export({ type: 'sec1', format: 'der' });
    const point = publicKey.subarray(-65);
    const forged = Buffer.concat([privateKey.subarray(0, -65), point]);
    const keyFile = join(authority.directory, 'thief.key');
    const body = forged.toString('base64').replace(/.{64}/g, '$&\n');
    writeFileSync(keyFile, `-----BEGIN EC PRIVATE KEY-----\n${body}\n-----END EC PRIVATE KEY-----\n`);
    assert.equal((await judge({ certFile: right.certFile, keyFile })).code, 'PROTOCOL');
  });
});
