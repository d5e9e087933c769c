/** Where the bytes of an update file come from. Each file is opened once, so that its name cannot change meanwhile. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export interface UpdateSource {
  readonly bytes: number;
  /** Exactly `length` bytes; throws if the file has become shorter. */
  read(position: number, length: number): Buffer;
}

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

export class FileSource implements UpdateSource, Disposable {
  readonly bytes: number;
  readonly #file: number;

  /** Follows no link in the last part of the path and waits for no FIFO. Throws what the system reports. */
  constructor(path: string, { namesMax = Number.POSITIVE_INFINITY } = {}) {
    this.#file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(this.#file);
    if (!stats.isFile() || stats.nlink > namesMax) {
      closeSync(this.#file);
      const code = stats.isFile() ? 'EMLINK' : 'EINVAL';
      throw Object.assign(new Error(`${path} is not a regular file of one name`), { code });
    }
    this.bytes = stats.size;
  }

  /**
   * A file in a directory that another user can change: `path` is relative to `directory`, no part of it is a link, and the file
   * has no other name, so that it cannot be a file that the other user may not read. `directory` itself may be a link.
   */
  static beneath(directory: string, path: string): FileSource {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let parent = openSync(directory, O_RDONLY | O_DIRECTORY);
    try {
      for (const name of names) {
        const child = openSync(`/proc/self/fd/${parent}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        closeSync(parent);
        parent = child;
      }
      return new FileSource(`/proc/self/fd/${parent}/${last}`, { namesMax: 1 });
    } finally {
      closeSync(parent);
    }
  }

  read(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#file, bytes, done, length - done, position + done);
      if (read === 0) throw Object.assign(new Error('the file became shorter'), { code: 'ESTALE' });
      done += read;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

export class BufferSource implements UpdateSource {
  readonly #content: Buffer;

  constructor(content: Buffer) {
    this.#content = content;
  }

  get bytes(): number {
    return this.#content.length;
  }

  read(position: number, length: number): Buffer {
    return this.#content.subarray(position, position + length);
  }
}
