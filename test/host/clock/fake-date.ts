/**
 * A date of the test's choice for a child process, through libfaketime; it can change at run time.
 * CLOCK_MONOTONIC stays real.
 *
 * Tests skip, with the reason, if the library is missing (Debian: `apt-get install faketime`).
 */

import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';

const LIBRARY = faketimeLibrary();
export const noFaketime: string | false =
  LIBRARY === undefined && 'libfaketime is not installed (apt-get install faketime)';

export class FakeDate {
  readonly #path: string;

  /** `path`: a file for this date only, which need not exist. */
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

  /** Takes effect at once, because the library reads the file for each query. The child needs TZ=UTC. */
  set(dateMs: number): void {
    this.#write(`@${new Date(dateMs).toISOString().replace('T', ' ').slice(0, 19)}`);
  }

  /** Returns to the date of this host. */
  restore(): void {
    this.#write('+0');
  }

  #write(text: string): void {
    writeFileSync(`${this.#path}.new`, `${text}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** Its path on Debian, for any architecture. */
function faketimeLibrary(): string | undefined {
  if (!existsSync('/usr/lib')) return undefined;
  const paths = readdirSync('/usr/lib').map((each) => `/usr/lib/${each}/faketime/libfaketimeMT.so.1`);
  return paths.find((path) => existsSync(path));
}
