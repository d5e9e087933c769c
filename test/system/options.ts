/**
 * Options of `npm run test:system`: `--only NAME` (the beginning of a scenario name; repeatable), `--cuts N`
 * (20), `--seed N` (1), `--packages DIR` (two .deb files to test instead of those of this tree).
 */

import { parseArgs } from 'node:util';

export interface SystemOptions {
  /** Empty: all. */
  readonly only: readonly string[];
  readonly cuts: number;
  readonly seed: number;
  readonly packages: string | undefined;
}

/** Throws an error that names the wrong option. */
export function readOptions(): SystemOptions {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      cuts: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      packages: { type: 'string' },
    },
  });
  for (const name of ['cuts', 'seed'] as const)
    if (!/^\d{1,6}$/.test(values[name])) throw new Error(`--${name} must be a number, not ${values[name]}`);
  return {
    only: values.only,
    cuts: Number(values.cuts),
    seed: Number(values.seed),
    packages: values.packages,
  };
}
