/** What was done with one entity, as a line. */

import type { Decision } from '../../thingsboard/setup/decide.ts';
import type { ItemResult } from '../../thingsboard/setup/setup.ts';

const DONE: Readonly<Record<Decision['do'], string>> = {
  make: 'made',
  update: 'updated',
  adopt: 'unchanged',
  keep: 'unchanged',
  delete: 'removed, as this version has none',
  leave: '',
  forget: 'gone, and this version has none',
};

const WOULD: Partial<Record<Decision['do'], string>> = {
  make: 'would be made',
  update: 'would be updated',
  delete: 'would be removed, as this version has none',
};

const LEFT = {
  changed: 'left as it is: changed by hand',
  deleted: 'not made again: deleted by hand',
  'not ours': 'left as it is: not made by this command',
} as const;

const KIND_WIDTH = 'device profile'.length + 2;
const NAME_WIDTH = 30;

export function resultLine({ kind, name, decision }: ItemResult, dryRun: boolean): string {
  const done =
    decision.do === 'leave'
      ? LEFT[decision.because]
      : ((dryRun ? WOULD[decision.do] : undefined) ?? DONE[decision.do]);
  return `${kind.padEnd(KIND_WIDTH)}${name.padEnd(NAME_WIDTH)}${done}`;
}
