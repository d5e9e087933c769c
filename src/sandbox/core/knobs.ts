/** The knobs: defaults, validation and update (contract section 13). */

import { parseLimits } from './data-point-limit.ts';
import { isJsonObject } from './json/lenient-json.ts';
import type { Knobs } from './model/types.ts';

/** Maximum latency, ms; over 10 s the core counts as unavailable. */
const LATENCY_MS_MAX = 600_000;
const SEED_MAX = 0xffff_ffff;

/** A knob has an invalid name or value, at start or in a test. */
export class KnobError extends Error {
  override readonly name = 'KnobError';
  readonly code = 'KNOB_INVALID';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

export function defaultKnobs(): Knobs {
  return {
    coreLatencyMinMs: 20,
    coreLatencyMaxMs: 50,
    lossIn: 0,
    lossOut: 0,
    duplicateIn: 0,
    duplicateOut: 0,
    reorderOut: 0,
    seed: 1,
    kindA: 'separate',
    strategy: 'create',
    repeatedProvisioning: false,
    deviceLimitReached: false,
    rateLimited: false,
    dataPointLimit: '',
    silent: false,
    dead: false,
    transportType: 'DEFAULT',
    typeCast: true,
  };
}

interface Rule {
  readonly bound: string;
  readonly allows: (value: unknown) => boolean;
}

const RULES: Readonly<Record<keyof Knobs, Rule>> = {
  coreLatencyMinMs: milliseconds(),
  coreLatencyMaxMs: milliseconds(),
  lossIn: share(),
  lossOut: share(),
  duplicateIn: share(),
  duplicateOut: share(),
  reorderOut: share(),
  seed: {
    bound: `an integer from 0 to ${SEED_MAX}`,
    allows: (value) => isBetween(value, 0, SEED_MAX) && Number.isInteger(value),
  },
  kindA: oneOf('separate', 'piggyback'),
  strategy: oneOf('create', 'pre-provisioned', 'disabled', 'chain'),
  repeatedProvisioning: flag(),
  deviceLimitReached: flag(),
  rateLimited: flag(),
  dataPointLimit: {
    bound: 'a text such as 20:1,600:60 (points:seconds, at most 10 of them), or empty for no limit',
    allows: (value) => typeof value === 'string' && parseLimits(value) !== undefined,
  },
  silent: flag(),
  dead: flag(),
  transportType: oneOf('DEFAULT', 'COAP', 'MQTT', 'LWM2M', 'SNMP'),
  typeCast: flag(),
};

/** Applies the whole patch, or nothing: then it returns every problem with knob, value and bound. */
export function updateKnobs(knobs: Knobs, patch: unknown): readonly string[] {
  if (!isJsonObject(patch)) {
    return [`knobs: ${JSON.stringify(patch)} is not an object of knobs`];
  }
  const problems: string[] = [];
  for (const [name, value] of Object.entries(patch)) {
    const problem = problemOf(name, value);
    if (problem !== undefined) problems.push(problem);
  }
  const updated: Knobs = { ...knobs, ...patch };
  if (problems.length === 0 && updated.coreLatencyMinMs > updated.coreLatencyMaxMs) {
    const { coreLatencyMinMs: minimum, coreLatencyMaxMs: maximum } = updated;
    problems.push(`coreLatencyMinMs: ${minimum} is more than coreLatencyMaxMs, which is ${maximum}`);
  }
  if (problems.length === 0) Object.assign(knobs, patch);
  return problems;
}

function problemOf(name: string, value: unknown): string | undefined {
  if (!isKnob(name)) return `${name}: there is no such knob; the knobs are ${Object.keys(RULES).join(', ')}`;
  const { allows, bound } = RULES[name];
  return allows(value) ? undefined : `${name}: ${JSON.stringify(value)} is not ${bound}`;
}

function isKnob(name: string): name is keyof Knobs {
  return Object.hasOwn(RULES, name);
}

function milliseconds(): Rule {
  return {
    bound: `a number of milliseconds from 0 to ${LATENCY_MS_MAX}`,
    allows: (value) => isBetween(value, 0, LATENCY_MS_MAX),
  };
}

function share(): Rule {
  return { bound: 'a share from 0 to 1', allows: (value) => isBetween(value, 0, 1) };
}

function flag(): Rule {
  return { bound: 'true or false', allows: (value) => typeof value === 'boolean' };
}

function oneOf(...choices: readonly string[]): Rule {
  return {
    bound: `one of ${choices.join(', ')}`,
    allows: (value) => typeof value === 'string' && choices.includes(value),
  };
}

function isBetween(value: unknown, minimum: number, maximum: number): boolean {
  return typeof value === 'number' && value >= minimum && value <= maximum;
}
