/**
 * Shows why systemd cannot start the service. The agent did not run and wrote no status, so the status file is absent or of an
 * earlier start.
 */

import { STATUS_EXIT } from '../../app/exit-codes.ts';
import { ServiceUnit } from '../../app/service-unit.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { StatusJson } from './json.ts';
import type { StatusPaths } from './without-status.ts';

/** Leaves `status` as it is if an agent runs, or if its paths are not those of the service. */
export async function withServiceFailure(
  status: StatusJson,
  { state, runtime }: StatusPaths,
  environment: NodeJS.ProcessEnv,
  { clock, signal }: { readonly clock: Pick<Clock, 'sleep'>; readonly signal: AbortSignal },
): Promise<StatusJson> {
  const isOther =
    state !== undefined || runtime !== undefined || environment['RUNTIME_DIRECTORY'] !== undefined;
  if (status.running || isOther) return status;
  const unit = new ServiceUnit(clock);
  const failure = await unit.failure(signal);
  if (failure === undefined) return status;
  const exitedMs = (await unit.read(signal))?.lastExitMs ?? 0;
  const agoS = Math.max(0, Math.round((Number(process.hrtime.bigint()) / 1e6 - exitedMs) / 1000));
  return {
    ...status,
    state: 'failed',
    exitCode: STATUS_EXIT.notRunning,
    stateForS: agoS,
    stateSince: new Date(Date.now() - agoS * 1000).toISOString(),
    reasons: [`systemd could not start the service (${failure.code}): ${failure.meaning}: ${failure.action}`],
  };
}
