/**
 * The firmware and software packages that are assigned to devices (OTA updates, contract sections 7 and 14),
 * in memory only: after a new start of the sandbox a device has the attributes of a package, but no package.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { PackageAnswer, PackageRequest, PackageType } from './model/types.ts';

export const CHECKSUM_ALGORITHMS = [
  'MD5',
  'SHA256',
  'SHA384',
  'SHA512',
  'CRC32',
  'MURMUR3_32',
  'MURMUR3_128',
] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export interface PackageInput {
  readonly title: string;
  readonly version: string;
  readonly tag?: string;
  readonly fileName?: string;
  /** Default SHA256. */
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  /** Hex. Default: that of the data. Another one lets the verification by the device fail. */
  readonly checksum?: string;
  /** The bytes of the package, at least one. */
  readonly data?: Uint8Array;
  /** Instead of `data`: where the package is, if ThingsBoard does not store it. */
  readonly url?: string;
}

export interface Package {
  readonly title: string;
  readonly version: string;
  readonly tag?: string;
  readonly fileName: string;
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly checksum?: string;
  /** Undefined if the package is at `url`. */
  readonly data?: Buffer;
  readonly url?: string;
}

export type PackageCreation =
  | { readonly ok: true; readonly created: Package }
  | { readonly ok: false; readonly message: string };

export function createPackage(input: PackageInput): PackageCreation {
  const { title, version, tag, url, checksumAlgorithm = 'SHA256' } = input;
  if (title === '' || version === '') return rejected('title, version: give both, not empty');
  // A header of HTTP holds it.
  const fileName = (input.fileName ?? `${title}-${version}`).replace(/[^\x20-\x7e]/g, '_');
  const described = { title, version, fileName, ...(tag === undefined ? {} : { tag }) };
  const isEmpty = input.data === undefined || input.data.length === 0;
  if (url !== undefined) {
    if (!isEmpty) return rejected('url: a package has either a URL or bytes, not both');
    const { checksum } = input;
    return {
      ok: true,
      created: { ...described, url, ...(checksum === undefined ? {} : { checksum, checksumAlgorithm }) },
    };
  }
  if (isEmpty) return rejected('give the bytes of the package, at least one, or a url');
  const data = Buffer.from(input.data ?? []);
  const checksum = input.checksum ?? checksumOf(data, checksumAlgorithm);
  if (checksum === undefined) {
    return rejected(`checksum: the sandbox does not compute ${checksumAlgorithm}, give the checksum`);
  }
  return { ok: true, created: { ...described, checksumAlgorithm, checksum, data } };
}

export class Packages {
  readonly #assigned = new Map<string, Package>();

  assign(deviceId: string, type: PackageType, assigned: Package): void {
    this.#assigned.set(key(deviceId, type), assigned);
  }

  /** The device is left without a package of this type, or was deleted. */
  unassign(deviceId: string, type: PackageType): void {
    this.#assigned.delete(key(deviceId, type));
  }

  read(deviceId: string, { type, title, version, size, chunk }: PackageRequest): PackageAnswer {
    const assigned = this.#assigned.get(key(deviceId, type));
    if (assigned?.data === undefined) return { status: 'none' };
    if (title !== undefined && title !== assigned.title) return { status: 'mismatch' };
    if (version !== undefined && version !== assigned.version) return { status: 'mismatch' };
    // The real server throws here, outside of its error handling.
    if (Number.isNaN(size) || Number.isNaN(chunk)) return { status: 'silent' };
    const { data, fileName } = assigned;
    if (size < 1) return { status: 'found', data, fileName };
    if (chunk < 0) return { status: 'silent' };
    return { status: 'found', data: data.subarray(size * chunk, size * (chunk + 1)), fileName };
  }
}

/** Lower-case hex; a CRC32 has its least significant byte first, as with Guava (section 7). */
function checksumOf(data: Buffer, algorithm: ChecksumAlgorithm): string | undefined {
  switch (algorithm) {
    case 'MD5':
    case 'SHA256':
    case 'SHA384':
    case 'SHA512':
      return createHash(algorithm).update(data).digest('hex');
    case 'CRC32': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(crc32(data));
      return bytes.toString('hex');
    }
    case 'MURMUR3_32':
    case 'MURMUR3_128':
      return undefined;
  }
}

function key(deviceId: string, type: PackageType): string {
  return `${deviceId} ${type}`;
}

function rejected(message: string): PackageCreation {
  return { ok: false, message };
}
