/** Keys and update files for tests. */

import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import {
  assembleUpdate,
  type PackageFile,
  readSigningKey,
  signUpdate,
  type UpdateTerms,
} from '../../src/update/sign-update.ts';
import { createKeyPair, keyIdOf } from '../../src/update/update-key.ts';

export interface TestKey {
  readonly id: string;
  readonly key: KeyObject;
  readonly publicPem: string;
  readonly privatePem: string;
  readonly trusted: ReadonlyMap<string, KeyObject>;
}

export function testKey(): TestKey {
  const { privatePem, publicPem } = createKeyPair();
  const key = readSigningKey(privatePem);
  if (!key.ok) throw new Error(key.problem);
  const publicKey = createPublicKey(publicPem);
  const id = keyIdOf(publicKey);
  return { id, key: key.value, publicPem, privatePem, trusted: new Map([[id, publicKey]]) };
}

export function packageFile(version: string, content = Buffer.from(`package ${version}`)): PackageFile {
  return {
    name: `firstlight_${version}_all.deb`,
    package: 'firstlight',
    version,
    architecture: 'all',
    content,
  };
}

/** A valid update of one package. */
export function updateOf(version: string, key: KeyObject, terms: Partial<UpdateTerms> = {}): Buffer {
  const update = signUpdate(
    [packageFile(version)],
    { minimumVersion: '0', allowDowngrade: false, ...terms },
    [key],
  );
  if (!update.ok) throw new Error(update.problem);
  return update.value;
}

/** An update whose manifest is whatever the test says. */
export function updateWith(manifest: unknown, keys: readonly KeyObject[], parts: readonly Buffer[]): Buffer {
  return assembleUpdate(Buffer.from(JSON.stringify(manifest)), keys, parts);
}

export function manifestOf(version: string, parts: readonly Buffer[], changes: object = {}): object {
  return {
    title: 'firstlight',
    version,
    minimumVersion: '0',
    allowDowngrade: false,
    parts: parts.map((content, index) => ({
      name: `part${index}.deb`,
      package: 'firstlight',
      architecture: index === 0 ? 'all' : `arch${index}`,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })),
    ...changes,
  };
}
