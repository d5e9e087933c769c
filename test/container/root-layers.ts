/**
 * Root directories for gateways, each the owner of its changes: layers over one unpacked Debian (overlay), so that a gateway costs
 * milliseconds instead of 290 MB.
 *
 *     debian ◀── installed (the package, as an image builder puts it in) ◀── one gateway
 *            ◀── one gateway that begins without the package
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freshName } from './cleanup.ts';
import { run } from './command.ts';

export class Layers {
  readonly #place: string;
  /** Undermost first. */
  readonly #lower: readonly string[];

  constructor(place: string, lower: readonly string[]) {
    this.#place = place;
    this.#lower = lower;
  }

  /** A directory that shows all layers and takes changes. */
  async root(): Promise<LayeredRoot> {
    const home = join(this.#place, freshName());
    const path = join(home, 'root');
    const [upper, work] = [join(home, 'upper'), join(home, 'work')];
    for (const directory of [home, path, upper, work]) await mkdir(directory);
    const lower = [...this.#lower].reverse().join(':');
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await run(['mount', '-t', 'overlay', 'overlay', '-o', options, path]);
    return {
      path,
      seal: async () => {
        await run(['umount', path]);
        return new Layers(this.#place, [...this.#lower, upper]);
      },
      [Symbol.asyncDispose]: async () => {
        await run(['umount', path]);
        await run(['rm', '-rf', home], 120_000);
      },
    };
  }
}

export interface LayeredRoot extends AsyncDisposable {
  readonly path: string;
  /** Ends it as a directory of its own: the changes become a layer for others. */
  seal(): Promise<Layers>;
}
