/**
 * Root directories for gateways, each with its own changes: layers (overlay) over one unpacked Debian, so
 * that a gateway takes milliseconds instead of 290 MB.
 *
 *     debian ◀── installed (the package, as an image builder installs it) ◀── one gateway
 *            ◀── one gateway that begins without the package
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freshName } from './cleanup.ts';
import { run } from './command.ts';

export class Layers {
  readonly #place: string;
  /** Lowest first. */
  readonly #lower: readonly string[];

  constructor(place: string, lower: readonly string[]) {
    this.#place = place;
    this.#lower = lower;
  }

  /** A writable directory that shows all layers. */
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
  /** Unmounts it and turns its changes into a layer for others. */
  seal(): Promise<Layers>;
}
