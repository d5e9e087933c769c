/** Writes an update file (update-file.ts) from packages that are already built. */

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  type Checked,
  MANIFEST_BYTES_MAX,
  type Manifest,
  type Part,
  parseManifest,
  UPDATE_TITLE,
} from '../core/update/manifest.ts';
import { FIRST_LINE, SIGNATURES_MAX } from './update-file.ts';
import { keyIdOf, signedText } from './update-key.ts';

export interface PackageFile {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  readonly content: Buffer;
}

export interface UpdateTerms {
  readonly minimumVersion: string;
  readonly allowDowngrade: boolean;
  readonly maximumVersion?: string;
}

/** A private Ed25519 key in PEM format. */
export function readSigningKey(pem: string): Checked<KeyObject> {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return { ok: true, value: key };
  } catch {
    // The same sentence.
  }
  return {
    ok: false,
    problem: 'the key file has no private Ed25519 key: make one with firstlight update keygen DIR',
  };
}

/** All packages must have the same version. */
export function signUpdate(
  packages: readonly PackageFile[],
  terms: UpdateTerms,
  keys: readonly KeyObject[],
): Checked<Buffer> {
  const versions = [...new Set(packages.map(({ version }) => version))];
  if (versions.length !== 1)
    return { ok: false, problem: `the packages have different versions: ${versions.join(', ')}` };
  if (keys.length === 0 || keys.length > SIGNATURES_MAX)
    return { ok: false, problem: `an update has 1 to ${SIGNATURES_MAX} signatures` };
  const parts = packages.map(
    ({ name, package: packageName, architecture, content }): Part => ({
      name,
      package: packageName,
      architecture,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    }),
  );
  const manifest = { title: UPDATE_TITLE, version: versions[0] ?? '', ...terms, parts };
  const text = Buffer.from(`${JSON.stringify(manifest satisfies Manifest)}\n`);
  const parsed = parseManifest(text.toString());
  if (!parsed.ok) return parsed;
  if (text.length > MANIFEST_BYTES_MAX) return { ok: false, problem: 'the manifest is too large' };
  return {
    ok: true,
    value: assembleUpdate(
      text,
      keys,
      packages.map(({ content }) => content),
    ),
  };
}

/** Puts the file together without a check. */
export function assembleUpdate(
  manifest: Buffer,
  keys: readonly KeyObject[],
  parts: readonly Buffer[],
): Buffer {
  const signatures = keys.map((key) => {
    const signature = sign(null, signedText(manifest), key).toString('base64');
    return `${keyIdOf(createPublicKey(key))} ${signature}\n`;
  });
  const header = `${FIRST_LINE}${manifest.length} ${signatures.length}\n${signatures.join('')}`;
  return Buffer.concat([Buffer.from(header), manifest, ...parts]);
}
