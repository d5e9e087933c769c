/**
 * The spool's directory as the handful of file operations the spool needs: a port, so that a simulation can cut its power.
 *
 * Every operation rejects with the system's own error (`code` ENOSPC, EROFS, EIO, …). Nothing is durable before
 * `sync`: a file's bytes by the file's, a file's name by the directory's.
 */

export interface SpoolDirectory {
  /** Files in it, by name; other things are not named. Empty when the directory does not exist. */
  list(): Promise<readonly SpoolEntry[]>;
  /** Makes a file that did not exist, mode 0600, for writing; and the directory, 0700, if it is missing. */
  create(name: string): Promise<SpoolFile>;
  /** Up to `length` bytes from `offset`; fewer at the end of the file. They are good until the next `read`. */
  read(name: string, offset: number, length: number): Promise<Buffer>;
  remove(name: string): Promise<void>;
  /** Returns when creations and removals survive a power cut. */
  sync(): Promise<void>;
  /** Of the file system it is on: what an unprivileged process may still write, and the whole. */
  space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
}

export interface SpoolEntry {
  readonly name: string;
  readonly bytes: number;
}

export interface SpoolFile {
  write(bytes: Buffer, position: number): Promise<void>;
  /** Returns when the bytes written survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
