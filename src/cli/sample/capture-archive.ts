/**
 * The files of a capture as scripts/capture-host.sh writes it, a tar.gz, without unpacking it: nothing is
 * written, and no name in it can lead outside. Reads the formats of GNU tar and POSIX (ustar, pax).
 */

import { gunzipSync } from 'node:zlib';
import type { HostFiles } from '../../sensors/files/host-files.ts';
import { openTreeFiles, type TreeNode } from '../../sensors/files/tree-files.ts';

/** The script stops at 16 MiB of contents; headers and padding are as much again for small files. */
export const ARCHIVE_BYTES_MAX = 64 * 1024 * 1024;
const BLOCK = 512;
const FILE_BYTES_MAX = 64 * 1024;
const ATTRIBUTE_BYTES_MAX = 512;
const GZIP = Buffer.from([0x1f, 0x8b]);

type ArchiveNode = TreeNode & { readonly text?: string };

/** Undefined if the bytes are no complete tar archive, plain or compressed by gzip. */
export function openCaptureArchive(bytes: Buffer): HostFiles | undefined {
  const tar = bytes.subarray(0, 2).equals(GZIP) ? gunzip(bytes) : bytes;
  const nodes = tar && readTar(tar);
  return nodes && openTreeFiles({ node: (path) => nodes.get(path), ...readersOf(nodes) });
}

function gunzip(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: ARCHIVE_BYTES_MAX });
  } catch {
    return undefined;
  }
}

function readersOf(nodes: ReadonlyMap<string, ArchiveNode>) {
  const textOf = (path: string) => nodes.get(path)?.text ?? '';
  return {
    read(path: string, bytesMax = FILE_BYTES_MAX) {
      const text = textOf(path);
      const limit = Math.min(bytesMax, FILE_BYTES_MAX);
      return text.length < limit ? text : text.slice(0, text.lastIndexOf('\n', limit - 1) + 1);
    },
    readBlocking: async (path: string) => textOf(path).slice(0, ATTRIBUTE_BYTES_MAX),
    firstLine: async (path: string) => textOf(path).split('\n', 1)[0] ?? '',
    list(path: string) {
      const prefix = path === '' ? '' : `${path}/`;
      return [...nodes.keys()]
        .filter((each) => each !== '' && each.startsWith(prefix) && !each.includes('/', prefix.length))
        .map((each) => each.slice(prefix.length));
    },
  };
}

/** Names and values that stand for those of the next header. */
interface Override {
  path?: string;
  target?: string;
}

function readTar(tar: Buffer): ReadonlyMap<string, ArchiveNode> | undefined {
  const nodes = new Map<string, ArchiveNode>([['', { type: 'directory' }]]);
  let override: Override = {};
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return nodes.size > 1 ? nodes : undefined;
    const size = octal(header, 124, 12);
    if (!hasValidChecksum(header) || size === undefined) return undefined;
    const content = tar.subarray(at + BLOCK, at + BLOCK + size).toString('latin1');
    if (content.length < size) return undefined;
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'L') override.path = content.replace(/\0.*$/s, '');
    else if (type === 'K') override.target = content.replace(/\0.*$/s, '');
    else if (type === 'x') override = paxOverride(content);
    else if (type !== 'g') {
      addNode(nodes, header, type, content, override);
      override = {};
    }
  }
  return undefined;
}

function addNode(
  nodes: Map<string, ArchiveNode>,
  header: Buffer,
  type: string,
  text: string,
  override: Override,
): void {
  const prefix = field(header, 257, 6) === 'ustar' ? field(header, 345, 155) : '';
  const name = override.path ?? (prefix === '' ? '' : `${prefix}/`) + field(header, 0, 100);
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return;
  for (let count = 1; count < segments.length; count += 1) {
    const folder = segments.slice(0, count).join('/');
    if (!nodes.has(folder)) nodes.set(folder, { type: 'directory' });
  }
  const node = nodeOf(type, text, override.target ?? field(header, 157, 100));
  if (node !== undefined) nodes.set(segments.join('/'), node);
}

/** Undefined for devices and FIFOs, which have no contents. */
function nodeOf(type: string, text: string, target: string): ArchiveNode | undefined {
  switch (type) {
    case '0':
    case '\0':
      return { type: 'file', text };
    case '2':
      return { type: 'link', target };
    case '5':
      return { type: 'directory' };
    default:
      return undefined;
  }
}

/** Lines of `LENGTH KEY=VALUE`. */
function paxOverride(content: string): Override {
  const fieldOf = (key: string) => new RegExp(`^\\d+ ${key}=(.*)$`, 'm').exec(content)?.[1];
  const [path, target] = [fieldOf('path'), fieldOf('linkpath')];
  return { ...(path !== undefined && { path }), ...(target !== undefined && { target }) };
}

function hasValidChecksum(header: Buffer): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return octal(header, 148, 8) === sum;
}

function octal(header: Buffer, start: number, length: number): number | undefined {
  const digits = field(header, start, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function field(header: Buffer, start: number, length: number): string {
  return header.toString('latin1', start, start + length).replace(/\0.*$/s, '');
}
