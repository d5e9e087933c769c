/**
 * Reads settings from the environment: FIRSTLIGHT_<TABLE>_<NAME> for every setting.
 *
 * An unknown variable with that prefix is a problem, because a typing error would otherwise go unnoticed. Its value is not shown.
 * An empty variable is a value like any other.
 */

import { nearestWord } from '../errors/nearest-word.ts';
import { type Problem, problemAt } from '../errors/problem.ts';
import { formatKey } from '../schema/display.ts';
import { variableOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';
import type { RawSetting } from './reader.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are no settings: read with the command line, and by the coaps transport. */
export const NON_SETTING_VARIABLES: readonly string[] = ['FIRSTLIGHT_CONFIG', 'FIRSTLIGHT_DTLS'];

const PREFIX = 'FIRSTLIGHT_';

export function readEnvironment(environment: Environment): {
  readonly rawSettings: readonly RawSetting[];
  readonly problems: readonly Problem[];
} {
  const rawSettings: RawSetting[] = [];
  const problems: Problem[] = [];
  const byVariable = new Map(allSettings.map((setting) => [variableOf(setting), setting]));
  for (const [name, raw] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || raw === undefined || NON_SETTING_VARIABLES.includes(name)) continue;
    const setting = byVariable.get(name);
    if (setting === undefined)
      problems.push(unknownVariableProblem(name, [...byVariable.keys(), ...NON_SETTING_VARIABLES]));
    else rawSettings.push({ setting, raw, source: { name, via: 'environment' } });
  }
  return { rawSettings, problems };
}

function unknownVariableProblem(name: string, names: readonly string[]): Problem {
  const suggestion = nearestWord(name, names);
  const what = `is not a Firstlight variable${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  return problemAt({ name: formatKey([name]), via: 'environment' }, { what });
}
