/**
 * The environment as a source of settings: one FIRSTLIGHT_<TABLE>_<NAME> for every key of the table of
 * settings.
 *
 * A variable that begins like ours and is none is a problem, since a slip there would otherwise be silence.
 * Empty is a value like any other and is judged as one. No variable's value is shown unless its setting says
 * that it may be.
 */

import { type Problem, problemAt } from '../errors/problem.ts';
import { nearest } from '../errors/suggest.ts';
import { shownKey } from '../schema/display.ts';
import { variableOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';
import type { Given } from './reader.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of ours that are no settings: they are read where the command line is. */
export const OTHER_VARIABLES: readonly string[] = ['FIRSTLIGHT_CONFIG'];

const PREFIX = 'FIRSTLIGHT_';

export function readEnvironment(environment: Environment): {
  readonly given: readonly Given[];
  readonly problems: readonly Problem[];
} {
  const given: Given[] = [];
  const problems: Problem[] = [];
  const known = new Map(allSettings.map((setting) => [variableOf(setting), setting]));
  for (const [name, raw] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || raw === undefined || OTHER_VARIABLES.includes(name)) continue;
    const setting = known.get(name);
    if (setting === undefined) problems.push(unknownVariable(name, [...known.keys(), ...OTHER_VARIABLES]));
    else given.push({ setting, raw, source: { name, via: 'environment' } });
  }
  return { given, problems };
}

function unknownVariable(name: string, known: readonly string[]): Problem {
  const meant = nearest(name, known);
  const what = `is no variable of ours${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  return problemAt({ name: shownKey([name]), via: 'environment' }, { what });
}
