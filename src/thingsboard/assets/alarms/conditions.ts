/**
 * Conditions of alarm rules, and their JSON as ThingsBoard 4.3 defines it (AlarmRule and AlarmCondition in its API
 * model): filters on single arguments, joined by AND or OR, which must hold for a time or be met a number of times.
 */

import type { JsonObject } from '../../../core/model/json-object.ts';

export type Severity = 'CRITICAL' | 'MAJOR' | 'MINOR' | 'WARNING';

/** A filter on one argument, by the name of the argument in its rule. */
export type Filter =
  | {
      readonly argument: string;
      readonly is: 'above' | 'below' | 'at least' | 'equal';
      readonly number: number;
    }
  | { readonly argument: string; readonly is: 'flag'; readonly flag: boolean }
  | { readonly argument: string; readonly is: 'text' | 'not text'; readonly text: string }
  /** The argument has no newer value since so many seconds. Only with `at once`. */
  | { readonly argument: string; readonly is: 'silent'; readonly forS: number };

/** What keeps a rule from flapping: a minimum time, or a minimum number of values that meet it in a row. */
export type Hold =
  | { readonly for: 'at once' }
  | { readonly for: 'seconds'; readonly seconds: number }
  | { readonly for: 'values'; readonly count: number };

export interface Condition {
  /** `any`: one filter suffices. */
  readonly match: 'all' | 'any';
  readonly filters: readonly Filter[];
  readonly hold: Hold;
}

const NUMERIC_OPERATIONS = {
  above: 'GREATER',
  below: 'LESS',
  'at least': 'GREATER_OR_EQUAL',
  equal: 'EQUAL',
} as const;

export function conditionJson({ match, filters, hold }: Condition): JsonObject {
  const expression = {
    type: 'SIMPLE',
    filters: filters.map(filterJson),
    operation: match === 'all' ? 'AND' : 'OR',
  };
  switch (hold.for) {
    case 'at once':
      return { type: 'SIMPLE', expression };
    case 'seconds':
      return { type: 'DURATION', unit: 'SECONDS', value: { staticValue: hold.seconds }, expression };
    case 'values':
      return { type: 'REPEATING', count: { staticValue: hold.count }, expression };
  }
}

function filterJson(filter: Filter): JsonObject {
  const { valueType, predicate } = predicateOf(filter);
  return { argument: filter.argument, valueType, operation: 'AND', predicates: [predicate] };
}

function predicateOf(filter: Filter): { readonly valueType: string; readonly predicate: JsonObject } {
  switch (filter.is) {
    case 'flag':
      return typed('BOOLEAN', 'EQUAL', filter.flag);
    case 'text':
      return typed('STRING', 'EQUAL', filter.text);
    case 'not text':
      return typed('STRING', 'NOT_EQUAL', filter.text);
    case 'silent':
      return {
        valueType: 'NUMERIC',
        predicate: { type: 'NO_DATA', unit: 'SECONDS', duration: { staticValue: filter.forS } },
      };
    default:
      return typed('NUMERIC', NUMERIC_OPERATIONS[filter.is], filter.number);
  }
}

function typed(type: string, operation: string, staticValue: number | boolean | string) {
  return { valueType: type, predicate: { type, operation, value: { staticValue } } };
}

export function minutes(count: number): Hold {
  return { for: 'seconds', seconds: count * 60 };
}

export function hours(count: number): Hold {
  return { for: 'seconds', seconds: count * 3600 };
}

export function above(argument: string, number: number): Filter {
  return { argument, is: 'above', number };
}

export function below(argument: string, number: number): Filter {
  return { argument, is: 'below', number };
}

export function atLeast(argument: string, number: number): Filter {
  return { argument, is: 'at least', number };
}

export function equal(argument: string, number: number): Filter {
  return { argument, is: 'equal', number };
}

export function flag(argument: string, value: boolean): Filter {
  return { argument, is: 'flag', flag: value };
}

export function text(argument: string, value: string): Filter {
  return { argument, is: 'text', text: value };
}

export function notText(argument: string, value: string): Filter {
  return { argument, is: 'not text', text: value };
}

export function silent(argument: string, forS: number): Filter {
  return { argument, is: 'silent', forS };
}
