/** The Ed25519 keys of updates (RFC 8032): their ids, and a new pair. */

import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** What is signed begins with this, so that a signature of another kind of text never counts. */
const SIGNED_PREFIX = Buffer.from('firstlight-update/1\n');

export const signedText = (manifest: Buffer): Buffer => Buffer.concat([SIGNED_PREFIX, manifest]);

/** The first 16 hexadecimal digits of the SHA-256 of the raw public key. */
export function keyIdOf(publicKey: KeyObject): string {
  const { x } = publicKey.export({ format: 'jwk' });
  return createHash('sha256')
    .update(Buffer.from(x ?? '', 'base64url'))
    .digest('hex')
    .slice(0, 16);
}

export interface KeyPair {
  readonly keyId: string;
  readonly privatePem: string;
  readonly publicPem: string;
}

export function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    keyId: keyIdOf(publicKey),
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}
