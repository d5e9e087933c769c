/**
 * The file operations that the spool needs, as a port, so that a simulation can cut the power.
 *
 * Every operation rejects with the system's error (`code` ENOSPC, EROFS, EIO). Nothing is durable before a
 * sync: the file's sync for its bytes, the directory's for names.
 */

export interface SpoolDirectory {
  /** Its regular files. Empty if the directory does not exist. */
  list(): Promise<readonly SpoolEntry[]>;
  /** Creates a new file for writing, mode 0600, and the directory, mode 0700, if it is missing. */
  create(name: string): Promise<SpoolFile>;
  /** Up to `length` bytes from `offset`; fewer at the end of the file. Valid until the next `read`. */
  read(name: string, offset: number, length: number): Promise<Buffer>;
  remove(name: string): Promise<void>;
  /** Resolves when creations and removals survive a power cut. */
  sync(): Promise<void>;
  /** Space of its file system: free for an unprivileged process, and in total. */
  space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
}

export interface SpoolEntry {
  readonly name: string;
  readonly bytes: number;
}

export interface SpoolFile {
  write(bytes: Buffer, position: number): Promise<void>;
  /** Resolves when the bytes written survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
