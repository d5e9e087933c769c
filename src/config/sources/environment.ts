/**
 * The environment as a source of settings: one FIRSTLIGHT_<TABLE>_<NAME> for every key of the table of
 * settings.
 *
 * A variable that begins like ours and is none is a problem, since a slip there would otherwise be silence.
 * Empty is a value like any other and is judged as one. No variable's value is shown unless its setting says
 * that it may be.
 */

import { type Problem, problemAt } from '../errors/problem.ts';
import { suggest } from '../errors/suggest.ts';
import { formatKey } from '../schema/display.ts';
import { variableOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';
import type { RawSetting } from './reader.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of ours that are no settings: they are read where the command line is. */
export const NON_SETTING_VARIABLES: readonly string[] = ['FIRSTLIGHT_CONFIG'];

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
  const suggestion = suggest(name, names);
  const what = `is no variable of ours${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  return problemAt({ name: formatKey([name]), via: 'environment' }, { what });
}
