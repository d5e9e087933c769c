/** The systemd unit of the agent, for commands beside it: its state, and why systemd cannot start it. */

import type { Clock } from '../core/ports/clock.ts';
import { explainServiceFailure, type HostFindings, type ServiceFailure } from '../doctor/service-failure.ts';
import { parseUnitState, UNIT_PROPERTIES, type UnitState } from '../doctor/unit-state.ts';
import { findProgramProblem, findStateProblem } from '../host/systemd/unit-problems.ts';
import { readUnitFiles, readUnitProperties } from '../host/systemd/unit-properties.ts';

export const UNIT = 'firstlight.service';

/** Asked once. */
export class ServiceUnit {
  readonly #clock: Pick<Clock, 'sleep'>;
  #state: Promise<UnitState | undefined> | undefined;

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** Undefined without systemd. */
  read(signal: AbortSignal): Promise<UnitState | undefined> {
    this.#state ??= readUnitProperties(UNIT, UNIT_PROPERTIES, { clock: this.#clock }, signal).then(
      (output) => (output === undefined ? undefined : parseUnitState(output)),
    );
    return this.#state;
  }

  /** The unit and its drop-ins; undefined without systemd. */
  async files(signal: AbortSignal): Promise<string | undefined> {
    const unit = await this.read(signal);
    return unit?.loadState === 'loaded' ? readUnitFiles(UNIT, { clock: this.#clock }, signal) : undefined;
  }

  /** Why systemd cannot start it, if that is so. */
  async failure(signal: AbortSignal): Promise<ServiceFailure | undefined> {
    const unit = await this.read(signal);
    return unit?.loadState === 'loaded' ? explainServiceFailure(unit, inspectHost(unit)) : undefined;
  }
}

/** What systemd reports as a number only. */
export function inspectHost({ program, loadState }: UnitState): HostFindings {
  if (loadState !== 'loaded') return {};
  return {
    node: program === undefined ? undefined : findProgramProblem(program),
    state: findStateProblem(),
  };
}
