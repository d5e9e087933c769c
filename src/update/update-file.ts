/**
 * The update file: packages of one version under one signed manifest.
 *
 *     FIRSTLIGHT-UPDATE/1
 *     MANIFEST-BYTES NUMBER-OF-SIGNATURES
 *     KEY-ID BASE64                          one line per signature, Ed25519 over "firstlight-update/1\n" and the manifest
 *     {"title": …}                           the manifest, exactly MANIFEST-BYTES
 *     the parts, one after another           their names, sizes and SHA-256 are in the manifest
 *
 * A part has no path: its name is only a name. Nothing is parsed as JSON before a signature of a trusted key is verified, and
 * all sizes are limited before anything is read.
 */

import { createHash, type KeyObject, verify } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Checked,
  MANIFEST_BYTES_MAX,
  type Manifest,
  PARTS_BYTES_MAX,
  type Part,
  parseManifest,
} from '../core/update/manifest.ts';
import { signedText } from './update-key.ts';
import type { UpdateSource } from './update-source.ts';

export const FIRST_LINE = 'FIRSTLIGHT-UPDATE/1\n';
export const SIGNATURES_MAX = 16;
/** The first lines with the longest numbers and all signatures. */
const HEADER_BYTES_MAX = FIRST_LINE.length + 16 + SIGNATURES_MAX * 106;
/** A larger file is not read. */
export const UPDATE_BYTES_MAX = HEADER_BYTES_MAX + MANIFEST_BYTES_MAX + PARTS_BYTES_MAX;
const CHUNK_BYTES = 64 * 1024;

export interface VerifiedUpdate {
  readonly manifest: Manifest;
  /** The keys of this gateway that signed it. */
  readonly keyIds: readonly string[];
  /** SHA-256 of the manifest, hexadecimal: identifies the update. */
  readonly digest: string;
  /** Where the first part begins. */
  readonly partsAt: number;
}

interface Header {
  readonly manifestAt: number;
  readonly manifestBytes: number;
  readonly signatures: readonly { readonly keyId: string; readonly signature: Buffer }[];
}

/**
 * Verifies signature, manifest and the size of the file, and reads nothing behind the manifest: `extractPart` verifies a part.
 * Throws only if the source does.
 */
export function verifyHead(
  source: UpdateSource,
  keys: ReadonlyMap<string, KeyObject>,
): Checked<VerifiedUpdate> {
  const header = readHeader(source);
  if (!header.ok) return header;
  const { manifestAt, manifestBytes } = header.value;
  const bytes = source.read(manifestAt, manifestBytes);
  const keyIds = verifySignatures(header.value, bytes, keys);
  if (!keyIds.ok) return keyIds;
  const manifest = parseManifest(bytes.toString('utf8'));
  if (!manifest.ok) return manifest;
  const partsAt = manifestAt + manifestBytes;
  const expected = manifest.value.parts.reduce((sum, part) => sum + part.bytes, partsAt);
  if (source.bytes !== expected)
    return refused(
      `the file has ${source.bytes} bytes and its manifest describes ${expected}: it was cut or extended; copy it again`,
    );
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { ok: true, value: { manifest: manifest.value, keyIds: keyIds.value, digest, partsAt } };
}

/** Verifies the head and every part. Rejects only if the source does. */
export async function verifyUpdate(
  source: UpdateSource,
  keys: ReadonlyMap<string, KeyObject>,
): Promise<Checked<VerifiedUpdate>> {
  const head = verifyHead(source, keys);
  if (!head.ok) return head;
  let position = head.value.partsAt;
  for (const part of head.value.manifest.parts) {
    const problem = await readPart(source, position, part, () => {});
    if (problem !== undefined) return refused(problem);
    position += part.bytes;
  }
  return head;
}

/** Passes the content of a part to `write` and compares its SHA-256 again. Undefined, or what is wrong. */
export async function extractPart(
  source: UpdateSource,
  { manifest, partsAt }: VerifiedUpdate,
  wanted: Part,
  write: (bytes: Buffer) => void,
): Promise<string | undefined> {
  let position = partsAt;
  for (const part of manifest.parts) {
    if (part === wanted) return readPart(source, position, part, write);
    position += part.bytes;
  }
  return `the update has no part ${wanted.name}`;
}

async function readPart(
  source: UpdateSource,
  position: number,
  { name, bytes, sha256 }: Part,
  write: (bytes: Buffer) => void,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  for (let done = 0; done < bytes; done += CHUNK_BYTES) {
    const chunk = source.read(position + done, Math.min(CHUNK_BYTES, bytes - done));
    hash.update(chunk);
    write(chunk);
    // The agent reads sensors meanwhile.
    await nextTurn();
  }
  if (hash.digest('hex') === sha256) return undefined;
  return `the part ${name} is not what the manifest describes: it was changed or damaged; copy the file again`;
}

function readHeader(source: UpdateSource): Checked<Header> {
  if (source.bytes > UPDATE_BYTES_MAX)
    return refused(`the file has ${source.bytes} bytes, the limit is ${UPDATE_BYTES_MAX}: it is no update`);
  const text = source.read(0, Math.min(HEADER_BYTES_MAX, source.bytes)).toString('latin1');
  if (!text.startsWith(FIRST_LINE))
    return refused(
      'the file is not an update of Firstlight: make one with npm run package -- --sign KEYFILE',
    );
  const counts = /^([1-9]\d{0,4}) (\d{1,2})\n/.exec(text.slice(FIRST_LINE.length));
  if (!counts) return refused('the second line of the file is invalid: make the update again');
  const [line, manifestBytes, count] = [counts[0], Number(counts[1]), Number(counts[2])];
  if (manifestBytes > MANIFEST_BYTES_MAX)
    return refused(`the manifest has ${manifestBytes} bytes, the limit is ${MANIFEST_BYTES_MAX}`);
  if (count === 0) return refused('the update has no signature: sign it with firstlight update sign');
  if (count > SIGNATURES_MAX) return refused(`the update has more than ${SIGNATURES_MAX} signatures`);
  const signatures: Header['signatures'][number][] = [];
  let position = FIRST_LINE.length + line.length;
  for (let index = 0; index < count; index += 1) {
    const found = /^([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)\n/.exec(text.slice(position, position + 106));
    if (!found?.[1] || !found[2])
      return refused(`signature ${index + 1} of the update is invalid: sign it again`);
    signatures.push({ keyId: found[1], signature: Buffer.from(found[2], 'base64') });
    position += found[0].length;
  }
  if (position + manifestBytes > source.bytes)
    return refused('the file ends before its manifest does: it was cut; copy it again');
  return { ok: true, value: { manifestAt: position, manifestBytes, signatures } };
}

/** At least one trusted key must have signed, and no signature of a trusted key may be wrong. */
function verifySignatures(
  { signatures }: Header,
  manifest: Buffer,
  keys: ReadonlyMap<string, KeyObject>,
): Checked<readonly string[]> {
  const valid: string[] = [];
  for (const { keyId, signature } of signatures) {
    const key = keys.get(keyId);
    if (!key) continue;
    if (!verify(null, signedText(manifest), key, signature))
      return refused(
        `the signature of the key ${keyId} does not fit: the update was changed or damaged; do not install it`,
      );
    valid.push(keyId);
  }
  if (valid.length > 0) return { ok: true, value: valid };
  const signers = signatures.map(({ keyId }) => keyId).join(', ');
  return refused(
    `no key of this gateway signed the update, only ${signers}: add the public key to /etc/firstlight/update-keys.d, if you trust it`,
  );
}

function refused(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
