/**
 * The lists [[sensor.exec]], [[sensor.file]] and [[sensor.gpio]] of one file, before anyone has judged their fields.
 *
 * What is wrong with them as lists is told here, each with its line; own-sensors.ts goes on from there.
 */

import type { OwnKind } from '../../core/model/custom-sensor.ts';
import { type Problem, problemAt, type Source } from '../errors/problem.ts';
import { nearest } from '../errors/suggest.ts';
import { OWN_KINDS } from '../schema/custom-sensor-fields.ts';
import { kindOf, shownKey } from '../schema/display.ts';
import { pathOf } from '../schema/setting.ts';
import { allSettings } from '../schema/settings.ts';

/** The table in which they are. */
export const OWN_TABLE = 'sensor';

/** One element of one list. */
export interface GivenOwn {
  readonly kind: OwnKind;
  readonly fields: ReadonlyMap<string, unknown>;
  /** Where it begins. */
  readonly source: Source;
  readonly sourceOf: (field: string) => Source;
}

export interface OwnLists {
  readonly own: readonly GivenOwn[];
  readonly problems: readonly Problem[];
}

export function ownLists(body: object, sourceAt: (path: readonly string[]) => Source): OwnLists {
  const own: GivenOwn[] = [];
  const problems: Problem[] = [];
  for (const [name, list] of Object.entries(body)) {
    const kind = OWN_KINDS.find((each) => each === name);
    const at = sourceAt([OWN_TABLE, name]);
    if (kind === undefined) problems.push(unknownList(name, at));
    else if (!Array.isArray(list)) problems.push(noList(name, list, at));
    else {
      list.forEach((element: unknown, index) => {
        const path = [OWN_TABLE, name, String(index)];
        const source = sourceAt(path);
        if (typeof element !== 'object' || element === null) problems.push(noList(name, list, source));
        else {
          const fields = new Map<string, unknown>(Object.entries(element));
          own.push({ kind, fields, source, sourceOf: (field) => sourceAt([...path, field]) });
        }
      });
    }
  }
  return { own, problems };
}

function unknownList(name: string, at: Source): Problem {
  const elsewhere = allSettings.find((setting) => pathOf(setting)[1] === name)?.key;
  const near = nearest(name, OWN_KINDS);
  const meant = elsewhere ?? (near === undefined ? undefined : `[[${OWN_TABLE}.${near}]]`);
  const what = `is no sensor of a kind we know${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  const bound = OWN_KINDS.map((kind) => `[[${OWN_TABLE}.${kind}]]`).join(' ');
  return problemAt(at, { key: shownKey([OWN_TABLE, name]), what, bound });
}

function noList(name: string, raw: unknown, at: Source): Problem {
  return problemAt(at, {
    key: shownKey([OWN_TABLE, name]),
    what: `is ${kindOf(raw)}, not one table for each sensor`,
    example: `[[${OWN_TABLE}.${name}]]`,
  });
}
