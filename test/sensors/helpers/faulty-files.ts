/** Host files of which some fail or answer slowly, as the driver of a device does, and a count of all searches. */

import type { HostFiles } from '../../../src/sensors/files/host-files.ts';

/** The text of a file, or an error with the code of a system call. */
export type Answer = () => string | Promise<string>;

export function fails(code: string): never {
  throw Object.assign(new Error(`${code}: test`), { code });
}

/** `answers`: instead of the files of `hostFiles`, by path; a path of a link counts as another path. */
export function faultyFiles(hostFiles: HostFiles, answers: ReadonlyMap<string, Answer>) {
  let searches = 0;
  const faulty: HostFiles = {
    ...hostFiles,
    read(path, bytesMax) {
      const answer = answers.get(path);
      if (answer === undefined) return hostFiles.read(path, bytesMax);
      const text = answer();
      if (typeof text !== 'string') throw new Error(`${path} is read by the event loop, which waits for it`);
      return text;
    },
    async readBlocking(path, lane) {
      const answer = answers.get(path);
      return answer === undefined ? hostFiles.readBlocking(path, lane) : answer();
    },
    list(path) {
      searches += 1;
      return hostFiles.list(path);
    },
  };
  return { hostFiles: faulty, searches: () => searches };
}
