/** Checks updates: the keys, and the unit that waits for an update. */

import { describeResult } from '../../core/update/installation.ts';
import { type Check, fail, pass, skip } from '../../doctor/check.ts';
import { activeState, type UpdateSummary } from '../update/summary.ts';

const PATH_UNIT = 'firstlight-update.path';

export function updateCheck(
  readSummary: () => UpdateSummary,
  readState: (unit: string) => Promise<string> = activeState,
): Check {
  return {
    name: 'updates',
    async run() {
      const { keyIds, problems, last } = readSummary();
      const [problem] = problems;
      if (problem !== undefined)
        return fail(
          problem.slice(0, problem.indexOf(': ')),
          'updates signed with that key are refused',
          problem.slice(problem.indexOf(': ') + 2),
        );
      if (keyIds.length === 0) return skip('off: there is no key in /etc/firstlight/update-keys.d');
      const state = await readState(PATH_UNIT);
      if (state !== 'active')
        return fail(
          `${PATH_UNIT} is ${state}`,
          'an update that the server assigns is downloaded and not installed',
          `start it: sudo systemctl enable --now ${PATH_UNIT}`,
        );
      return pass(
        `on, ${keyIds.length === 1 ? '1 key' : `${keyIds.length} keys`}${last ? `; last: ${describeResult(last)}` : ''}`,
      );
    },
  };
}
