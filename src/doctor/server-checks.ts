/** Whether the server takes the token there is, and telemetry with it; whether a road of HTTP or HTTPS leads to ThingsBoard. */

import { halvesOf } from '../core/events/catalogue.ts';
import type { Refusal, Result } from '../core/failures/failure.ts';
import { VERDICTS } from '../core/failures/policies.ts';
import { type Check, cross, dash, type Finding, tick } from './check.ts';

/** `probe` asks the server whether it takes the token; absent with the reason why there is none to ask about. */
export function tokenCheck(probe: ((signal: AbortSignal) => Promise<Result<boolean>>) | string): Check {
  return {
    name: 'token',
    late: SILENT,
    async look(signal) {
      if (typeof probe === 'string') return dash(probe);
      const result = await probe(signal);
      if (result.ok && result.value) return tick('the server takes it');
      const reason = result.ok ? 'unauthorized' : result.refusal.reason;
      const { cause, remedy } = halvesOf(VERDICTS[reason].sentence);
      return cross(result.ok ? 'the server answers: unauthorized' : result.refusal.detail, cause, remedy);
    },
  };
}

/** A road of HTTP or HTTPS: `probe` asks with a token that nobody has, which ThingsBoard answers 401; TLS is judged on the way. */
export function roadCheck(name: string, probe: (signal: AbortSignal) => Promise<Result<boolean>>): Check {
  return {
    name,
    late: SILENT,
    async look(signal) {
      const result = await probe(signal);
      return result.ok ? tick('answers as ThingsBoard does') : refused(result.refusal);
    },
  };
}

function refused({ reason, detail }: Refusal): Finding {
  const { cause, remedy } = halvesOf(VERDICTS[reason].sentence);
  return cross(detail, cause, remedy);
}

const { cause: SILENCE, remedy: LISTEN } = halvesOf(VERDICTS.silent.sentence);
const SILENT = cross('no answer in 15 s', SILENCE, LISTEN);

/** On request only: a point with a key that says what it is. */
export function telemetryCheck(post: (signal: AbortSignal) => Promise<Result<void>>): Check {
  return {
    name: 'telemetry',
    async look(signal) {
      const result = await post(signal);
      if (result.ok) return tick('the server took firstlightDoctorTest');
      const { cause, remedy } = halvesOf(VERDICTS[result.refusal.reason].sentence);
      return cross(result.refusal.detail, cause, remedy);
    },
  };
}
