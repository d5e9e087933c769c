/**
 * A date of the test's choice for a child process, by libfaketime, changed while it runs; its monotonic clock is the true one.
 *
 * Tests skip, with the reason, where the library is missing (Debian: `apt-get install faketime`).
 */

import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';

const LIBRARY = faketimeLibrary();
export const noFaketime: string | false =
  LIBRARY === undefined && 'libfaketime is not installed (apt-get install faketime)';

export class FakeDate {
  readonly #path: string;

  /** `path`: a file of its own, which need not be there. */
  constructor(path: string) {
    this.#path = path;
  }

  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#path,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** At once: the library reads the file whenever it is asked for the time, which it takes for UTC under TZ=UTC. */
  set(dateMs: number): void {
    this.#write(`@${new Date(dateMs).toISOString().replace('T', ' ').slice(0, 19)}`);
  }

  /** From now on the date of this host. */
  restore(): void {
    this.#write('+0');
  }

  #write(text: string): void {
    writeFileSync(`${this.#path}.new`, `${text}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** Where Debian puts it, whatever the architecture. */
function faketimeLibrary(): string | undefined {
  if (!existsSync('/usr/lib')) return undefined;
  const paths = readdirSync('/usr/lib').map((each) => `/usr/lib/${each}/faketime/libfaketimeMT.so.1`);
  return paths.find((path) => existsSync(path));
}
