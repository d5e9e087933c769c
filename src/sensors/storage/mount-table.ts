/**
 * Mounts: which file systems of the host are on storage of its own, from the table of what is mounted.
 *
 * Real is what comes from a block device, once, at the place where all of it is mounted; and the root, whatever it is. Not real are
 * network file systems, memory, what the kernel makes up, binds of a part of another mount, and images that are always full
 * (snaps, optical discs). Of two on one place the later one counts, since it hides the other. Within a systemd unit the table is that of
 * the unit: what its sandbox hides, such as a /home of its own, is not in it.
 */

import { InvalidValueError } from '../files/errors.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOrDefault } from '../files/optional-files.ts';
import { splitLines } from '../files/parse.ts';

export interface Mount {
  /** `/boot/firmware`. */
  readonly point: string;
  /** The file system itself is read-only, not just this mount of it (our own unit mounts its root read-only). */
  readonly isReadOnly: boolean;
}

/** The file is cut at 64 KiB: some 500 mounts. Those of the host's own storage come first, containers' later. */
const PATH = 'proc/self/mountinfo';
/** The device number of loop devices, which hold images. */
const LOOP_MAJOR = '7';
const IMAGE_TYPES: ReadonlySet<string> = new Set(['squashfs', 'erofs', 'cramfs', 'romfs', 'iso9660', 'udf']);
/** Of these each subvolume is mounted by a path of its own, and they have no device number of their own. */
const SUBVOLUME_TYPES: ReadonlySet<string> = new Set(['btrfs', 'bcachefs']);
/** ext4 since Linux 6.15 calls a file system that it no longer writes after an error so, and leaves "rw" as it was. */
const READ_ONLY_OPTIONS = /(^|,)(ro|emergency_ro|shutdown)(,|$)/;

interface MountLine extends Mount {
  readonly device: string;
  readonly isStorage: boolean;
}

export class MountTable {
  readonly #tree: HostFiles;
  #text: string | undefined;
  #mounts: readonly Mount[] | undefined;

  constructor(hostFiles: HostFiles) {
    this.#tree = hostFiles;
  }

  /** The real ones in the order of their places, the root first; undefined where the host has no such table. */
  read(): readonly Mount[] | undefined {
    const text = readOrDefault(() => this.#tree.read(PATH), undefined);
    // It hardly ever changes, and comparing is cheaper than parsing.
    if (text !== this.#text) this.#mounts = text === undefined ? undefined : parseMounts(text);
    this.#text = text;
    return this.#mounts;
  }
}

function parseMounts(text: string): readonly Mount[] {
  const byPoint = new Map<string, MountLine>();
  for (const line of splitLines(text, PATH)) {
    const mount = parseLine(line);
    byPoint.set(mount.point, mount);
  }
  const lines = [...byPoint.values()].filter(({ isStorage, point }) => isStorage || point === '/');
  const devices = new Set<string>();
  return lines
    .toSorted((a, b) => (a.point < b.point ? -1 : 1))
    .filter(({ device }) => !devices.has(device) && devices.add(device))
    .map(({ point, isReadOnly }) => ({ point, isReadOnly }));
}

/** Id, parent, device, root, place, options of this mount, optional fields, a dash, type, source, options of the file system. */
function parseLine(line: string): MountLine {
  const dash = line.indexOf(' - ');
  const [, , device = '', root, escapedPoint] = line.slice(0, Math.max(dash, 0)).split(' ');
  const [type = '', source = '', options = ''] = line.slice(dash + ' - '.length).split(' ');
  const point = escapedPoint === undefined ? undefined : decodePath(escapedPoint);
  if (point === undefined || !point.startsWith('/') || !/^\d+:\d+$/.test(device)) {
    throw new InvalidValueError(`/${PATH} has a line of unknown format`);
  }
  const isWholeFileSystem = root === '/' || SUBVOLUME_TYPES.has(type);
  const isImage = IMAGE_TYPES.has(type) || device.startsWith(`${LOOP_MAJOR}:`);
  const isStorage = isWholeFileSystem && !isImage && source.startsWith('/dev/') && !type.startsWith('fuse.');
  return { point, isReadOnly: READ_ONLY_OPTIONS.test(options), device, isStorage };
}

/** `\040` is a space; and the text was read byte by byte, while names of files are UTF-8. */
function decodePath(escapedPoint: string): string {
  const bytes = escapedPoint.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
