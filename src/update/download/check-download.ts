/** Checks a downloaded update before root's part is asked to install it; root's part checks everything again. */

import { createHash, type Hash, type KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Assignment } from '../../core/update/assignment.ts';
import { type Checked, versionProblem } from '../../core/update/manifest.ts';
import { verifyUpdate } from '../update-file.ts';
import type { UpdateSource } from '../update-source.ts';

const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
};
const CHUNK_BYTES = 64 * 1024;

/** `isDamaged`: the bytes are not those of the server, so that another download may help. */
export type DownloadCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: string; readonly isDamaged: boolean };

/** `installed`: the installed version. */
export async function checkDownload(
  source: UpdateSource,
  assignment: Assignment,
  keys: ReadonlyMap<string, KeyObject>,
  installed: string,
): Promise<DownloadCheck> {
  const { bytes, algorithm, checksum, version } = assignment;
  if (source.bytes !== bytes)
    return damaged(`the download has ${source.bytes} bytes and the server announced ${bytes}`);
  const sum = await checksumOfSource(source, algorithm);
  if (!sum.ok) return refused(sum.problem);
  if (sum.value !== checksum)
    return damaged(`the ${algorithm} checksum of the download is not the one of the server: upload it again`);
  const update = await verifyUpdate(source, keys);
  if (!update.ok) return refused(update.problem);
  const { manifest } = update.value;
  if (manifest.version !== version)
    return refused(
      `the update contains version ${manifest.version} and is assigned as ${version}: upload it as ${manifest.version}`,
    );
  const problem = versionProblem(manifest, installed);
  return problem === undefined ? { ok: true } : refused(problem);
}

async function checksumOfSource(source: UpdateSource, algorithm: string): Promise<Checked<string>> {
  const sum = checksumOf(algorithm);
  if (!sum)
    return {
      ok: false,
      problem: `the agent does not compute ${algorithm} checksums: upload the update with SHA256`,
    };
  for (let done = 0; done < source.bytes; done += CHUNK_BYTES) {
    sum.update(source.read(done, Math.min(CHUNK_BYTES, source.bytes - done)));
    await nextTurn();
  }
  return { ok: true, value: sum.hex() };
}

interface Checksum {
  update(bytes: Buffer): void;
  hex(): string;
}

function checksumOf(algorithm: string): Checksum | undefined {
  if (algorithm === 'CRC32') return crc32Checksum();
  const name = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
  if (name === undefined) return undefined;
  const hash: Hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
}

/** ThingsBoard prints it with the lowest byte first (contract section 7). */
function crc32Checksum(): Checksum {
  let value = 0;
  const hex = () => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes.toString('hex');
  };
  return {
    update: (bytes) => {
      value = crc32(bytes, value);
    },
    hex,
  };
}

const refused = (problem: string): DownloadCheck => ({ ok: false, problem, isDamaged: false });
const damaged = (problem: string): DownloadCheck => ({ ok: false, problem, isDamaged: true });
