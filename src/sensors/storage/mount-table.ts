/**
 * Lists the file systems on storage of the host: block devices, mounted as a whole, each once; and the root,
 * whatever it is. Excluded are network and memory file systems, binds of a part of another mount, and images
 * that are always full (snaps, optical discs). Of two mounts on one path the later one counts, because it
 * hides the other. Mounts that the sandbox of a systemd unit hides, such as /home, are not in its table.
 */

import type { HostFiles } from '../files/host-files.ts';
import { readOrDefault } from '../files/optional-files.ts';
import { InvalidValueError, splitLines } from '../files/parse.ts';

export interface Mount {
  /** `/boot/firmware`. */
  readonly point: string;
  /**
   * The file system itself is read-only, not only this mount (the unit of the agent mounts its root
   * read-only).
   */
  readonly isReadOnly: boolean;
}

/** Cut at 64 KiB, about 500 mounts; storage of the host comes before mounts of containers. */
const PATH = 'proc/self/mountinfo';
/** Major device number of loop devices, which hold images. */
const LOOP_MAJOR = '7';
const IMAGE_TYPES: ReadonlySet<string> = new Set(['squashfs', 'erofs', 'cramfs', 'romfs', 'iso9660', 'udf']);
/** Each subvolume is mounted by its own path within the file system. */
const SUBVOLUME_TYPES: ReadonlySet<string> = new Set(['btrfs', 'bcachefs']);
/** Since Linux 6.15, ext4 marks a file system after an error `emergency_ro` and leaves `rw` unchanged. */
const READ_ONLY_OPTIONS = /(^|,)(ro|emergency_ro|shutdown)(,|$)/;

interface MountLine extends Mount {
  readonly device: string;
  readonly isStorage: boolean;
}

/** `problem`: a line of unknown format, which costs only itself. */
export interface MountTableContent {
  /** Sorted by path, the root first; undefined if the host has no such table. */
  readonly mounts: readonly Mount[] | undefined;
  readonly problem: Error | undefined;
}

const NO_TABLE: MountTableContent = { mounts: undefined, problem: undefined };

export class MountTable {
  readonly #hostFiles: HostFiles;
  #text: string | undefined;
  #content = NO_TABLE;

  constructor(hostFiles: HostFiles) {
    this.#hostFiles = hostFiles;
  }

  /** Throws if the table is truncated or cannot be read. */
  read(): MountTableContent {
    const text = readOrDefault(() => this.#hostFiles.read(PATH), undefined);
    // The table hardly ever changes, and comparing it is cheaper than parsing it.
    if (text !== this.#text) this.#content = text === undefined ? NO_TABLE : parseMounts(text);
    this.#text = text;
    return this.#content;
  }
}

function parseMounts(text: string): MountTableContent {
  const byPoint = new Map<string, MountLine>();
  let problem: Error | undefined;
  for (const line of splitLines(text, PATH)) {
    const mount = parseLine(line);
    if (mount === undefined) problem = new InvalidValueError(`/${PATH} has a line of unknown format`);
    else byPoint.set(mount.point, mount);
  }
  const lines = [...byPoint.values()].filter(({ isStorage, point }) => isStorage || point === '/');
  const devices = new Set<string>();
  const mounts = lines
    .toSorted((a, b) => (a.point < b.point ? -1 : 1))
    .filter(({ device }) => !devices.has(device) && devices.add(device))
    .map(({ point, isReadOnly }) => ({ point, isReadOnly }));
  return { mounts, problem };
}

/**
 * Fields: id, parent, device, root, mount point, mount options, optional fields, a dash, type, source, file
 * system options. Undefined for another format.
 */
function parseLine(line: string): MountLine | undefined {
  const dash = line.indexOf(' - ');
  const [, , device = '', root, escapedPoint] = line.slice(0, Math.max(dash, 0)).split(' ');
  const [type = '', source = '', options = ''] = line.slice(dash + ' - '.length).split(' ');
  const point = escapedPoint === undefined ? undefined : decodePath(escapedPoint);
  if (point === undefined || !point.startsWith('/') || !/^\d+:\d+$/.test(device)) return undefined;
  const isWholeFileSystem = root === '/' || SUBVOLUME_TYPES.has(type);
  const isImage = IMAGE_TYPES.has(type) || device.startsWith(`${LOOP_MAJOR}:`);
  const isStorage = isWholeFileSystem && !isImage && source.startsWith('/dev/') && !type.startsWith('fuse.');
  return { point, isReadOnly: READ_ONLY_OPTIONS.test(options), device, isStorage };
}

/** `\040` is a space. The text was read as latin1, but file names are UTF-8. */
function decodePath(escapedPoint: string): string {
  const bytes = escapedPoint.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
