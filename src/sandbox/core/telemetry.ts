/**
 * Parses a telemetry body (contract section 4.1): a flat object, `ts` with `values`, or an array of either.
 * One invalid element rejects the whole message. An empty array gets no response, because nothing is queued
 * (section 11.6).
 */

import { integerPart, parseDecimal } from './json/decimal.ts';
import {
  jsonText,
  type LenientObject,
  type LenientValue,
  parseLenientJson,
  withoutNullMembers,
} from './json/lenient-json.ts';
import { areStorable } from './model/names.ts';
import type { PostAnswer } from './model/types.ts';
import { classifyMembers, type StoredValue } from './model/values.ts';

export interface TelemetryPoint {
  readonly key: string;
  readonly ts: number;
  readonly tsGiven: boolean;
  readonly stored: StoredValue;
}

/** `dataPoints` are those that the rate limit counts: also those of elements that are not stored. */
export type ReadTelemetry =
  | {
      readonly status: 'points';
      readonly points: readonly TelemetryPoint[];
      readonly dataPoints: number;
    }
  | Exclude<PostAnswer, { status: 'accepted' }>;

const LONG = /^[+-]?[0-9]+$/;

export function readTelemetry(body: string, typeCast: boolean, nowMs: number): ReadTelemetry {
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return { status: 'malformed', message: parsed.message };
  const elements = parsed.value.type === 'array' ? parsed.value.items : [parsed.value];
  if (elements.length === 0) return { status: 'silent' };
  const points: TelemetryPoint[] = [];
  let dataPoints = 0;
  for (const element of elements) {
    if (element.type !== 'object') return cannotParse(element);
    const result = readElement(element, typeCast, nowMs);
    if (result.status !== 'points') return result;
    for (const point of result.points) points.push(point);
    dataPoints += result.dataPoints;
  }
  return { status: 'points', points, dataPoints };
}

function readElement(element: LenientObject, typeCast: boolean, nowMs: number): ReadTelemetry {
  const ts = element.members.get('ts');
  const values = element.members.get('values');
  // If only one of the two is present, it is an ordinary key.
  if (ts === undefined || values === undefined) return toPoints(element, nowMs, false, typeCast);
  const tsMs = timestamp(ts);
  // The real server throws here outside its validation, which looks like an outage (trap 11).
  if (tsMs === undefined) return { status: 'failed' };
  if (values.type !== 'object') return cannotParse(values);
  return toPoints(values, tsMs, true, typeCast);
}

function toPoints(values: LenientObject, ts: number, tsGiven: boolean, typeCast: boolean): ReadTelemetry {
  const classified = classifyMembers(withoutNullMembers(values), typeCast);
  if (!classified.ok) return { status: 'malformed', message: classified.message };
  const dataPoints = classified.values.size;
  if (!areStorable(classified.values.keys())) return { status: 'points', points: [], dataPoints };
  const points = [...classified.values].map(([key, stored]) => ({ key, ts, tsGiven, stored }));
  return { status: 'points', points, dataPoints };
}

/** Whole milliseconds without bounds: a fraction is cut off, a numeric string is accepted. */
function timestamp(value: LenientValue): number | undefined {
  if (value.type === 'string') return LONG.test(value.text) ? Number(value.text) : undefined;
  if (value.type !== 'number') return undefined;
  const decimal = parseDecimal(value.literal);
  return decimal === undefined ? undefined : Number(BigInt.asIntN(64, integerPart(decimal)));
}

function cannotParse(value: LenientValue): ReadTelemetry {
  return { status: 'malformed', message: `Can't parse value: ${jsonText(value)}` };
}
