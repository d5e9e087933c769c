/**
 * The health gate: decides from what systemd and the status file of the agent show whether a new version stays.
 *
 * It stays when one process of it has run longer than the watchdog needs to notice a hanging loop, has read its credentials
 * if the old version had some, and, if the old one was online within the last hour, the server has accepted telemetry from it.
 */

/**
 * What the status file shows of one process of the agent, which has written it. systemd states which process that is and whether
 * it runs. Credentials and telemetry are the word of the agent, because nobody else on the host knows them: before an update they
 * decide only how much is asked of the new version.
 */
export interface AgentHealth {
  /** Identifies the process: boot, pid and start time. Absent: no agent runs. */
  readonly process?: string;
  readonly pid?: number;
  readonly hasCredentials: boolean;
  /** Whether the server accepted telemetry from this process within the last hour. */
  readonly isAccepted: boolean;
  /** What is wrong, in the words of the agent. */
  readonly detail?: string;
}

export interface GateObservation {
  readonly agent: AgentHealth;
  /** ActiveState of firstlight.service. */
  readonly activeState: string;
  readonly mainPid: number;
  /** How often systemd has restarted the service after a crash. */
  readonly restarts: number;
}

export interface GateLimits {
  /** The whole gate, ms. */
  readonly withinMs: number;
  /** How long one process must run, ms. */
  readonly steadyMs: number;
}

export type GateVerdict =
  | { readonly is: 'waiting' }
  | { readonly is: 'healthy' }
  | { readonly is: 'unhealthy'; readonly reason: string };

/** The new version is given up at this number of crashes. */
const CRASHES_MAX = 3;

export class HealthGate {
  readonly #before: AgentHealth;
  readonly #version: string;
  readonly #limits: GateLimits;
  readonly #startedMs: number;
  #process: string | undefined;
  #sinceMs = 0;

  constructor(version: string, before: AgentHealth, limits: GateLimits, nowMs: number) {
    this.#version = version;
    this.#before = before;
    this.#limits = limits;
    this.#startedMs = nowMs;
  }

  observe(observation: GateObservation, nowMs: number): GateVerdict {
    const { agent, activeState, mainPid, restarts } = observation;
    const isUp =
      activeState === 'active' && agent.process !== undefined && agent.pid === mainPid && mainPid > 0;
    if (!isUp || agent.process === this.#before.process) this.#process = undefined;
    else if (agent.process !== this.#process) [this.#process, this.#sinceMs] = [agent.process, nowMs];
    if (restarts >= CRASHES_MAX) return this.#unhealthy(`ended by itself ${restarts} times`);
    const missing = this.#missing(observation, nowMs);
    if (missing === undefined) return { is: 'healthy' };
    if (nowMs - this.#startedMs < this.#limits.withinMs) return { is: 'waiting' };
    return this.#unhealthy(`${missing} within ${Math.round(this.#limits.withinMs / 1000)} s`);
  }

  /** The first condition that does not hold; undefined if all do. */
  #missing({ agent, activeState, restarts }: GateObservation, nowMs: number): string | undefined {
    const detail = agent.detail === undefined ? '' : ` (${agent.detail})`;
    if (this.#process === undefined) return `did not run (${activeState}, ${restarts} restarts)${detail}`;
    if (this.#before.hasCredentials && !agent.hasCredentials) return `did not read its credentials${detail}`;
    if (this.#before.isAccepted && !agent.isAccepted)
      return `delivered no telemetry that the server accepted${detail}`;
    if (nowMs - this.#sinceMs < this.#limits.steadyMs) return 'did not run without interruption';
    return undefined;
  }

  #unhealthy(text: string): GateVerdict {
    return {
      is: 'unhealthy',
      reason: `version ${this.#version} ${text}: see journalctl -u firstlight`,
    };
  }
}
