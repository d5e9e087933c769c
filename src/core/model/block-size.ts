/**
 * The unit in which statfs(2) counts blocks: `f_frsize`. Node.js reports it since 2026 only; older versions
 * have `f_bsize`, which most file systems set to the same value, and some to the size of a transfer.
 */

export interface BlockSizes {
  readonly bsize: number;
  /** Absent in older versions of Node.js. */
  readonly frsize?: number | undefined;
  /** The magic number of the file system. */
  readonly type?: number | undefined;
}

/**
 * File systems of which f_bsize can be another size: FUSE (mergerfs, ntfs-3g), virtiofs and ZFS, where it is
 * up to 2,048 times as large (include/uapi/linux/magic.h; statfs(2); zfs_vfsops.c of OpenZFS).
 */
const DIFFERENT: ReadonlySet<number> = new Set([0x65735546, 0x6a656a63, 0x2fc12fc1]);

/** Bytes per block; undefined if the file system may use another unit than the one that is known. */
export function blockBytes({ bsize, frsize, type }: BlockSizes): number | undefined {
  if (frsize !== undefined && frsize > 0) return frsize;
  return type !== undefined && DIFFERENT.has(type) ? undefined : bsize;
}
