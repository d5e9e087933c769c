/**
 * What `npm run test:system` can be told: `--only NAME` (the beginning of a scenario's name; several times), `--cuts N` (20), `--seed N` (1),
 * `--packages DIR` (two .deb files to test instead of those of this tree).
 */

import { parseArgs } from 'node:util';

export interface SystemOptions {
  /** None: all. */
  readonly only: readonly string[];
  readonly cuts: number;
  readonly seed: number;
  readonly packages: string | undefined;
}

/** Throws a sentence about what is wrong. */
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
    if (!/^\d{1,6}$/.test(values[name])) throw new Error(`--${name} is a number, not ${values[name]}`);
  return {
    only: values.only,
    cuts: Number(values.cuts),
    seed: Number(values.seed),
    packages: values.packages,
  };
}
