/**
 * Root's part of an update as a Moore machine: each state has one action, each action ends in one event, and `next` is pure.
 * A state is durable before its action begins, so that the next boot finishes or goes back.
 *
 *     (staged) ─▶ install ── installed ─▶ gate ── healthy ─▶ finish: updated
 *                    └─ failed ─┐          └─ unhealthy ─┐
 *                               └────────▶ return ◀──────┘── returned ─▶ finish: failed
 *
 * Each state counts its beginnings. A power cut begins it again, and after too many of them the machine goes back.
 */

import type { AgentHealth } from './health-gate.ts';

/** What the run is about; it does not change. */
export interface Run {
  readonly version: string;
  /** The version that is installed now and comes back if the new one fails. */
  readonly previous: string;
  /** SHA-256 of the update file, hexadecimal: identifies the request of the agent. */
  readonly file: string;
  /** The health of the old version before. */
  readonly before: AgentHealth;
}

export type Outcome = 'updated' | 'failed' | 'refused';

/** What is published about a request. */
export interface UpdateResult {
  readonly outcome: Outcome;
  /** As in `Run`; absent if the file could not be read. */
  readonly file?: string;
  readonly version?: string;
  readonly previous?: string;
  /** Why it failed or was refused: a sentence "cause: action". */
  readonly problem?: string;
}

interface Begun {
  readonly run: Run;
  /** How often the action has begun. */
  readonly starts: number;
}

export type InstallationState =
  | (Begun & { readonly at: 'install' })
  | (Begun & { readonly at: 'gate' })
  /** `reason`: why the new version goes. */
  | (Begun & { readonly at: 'return'; readonly reason: string })
  /** `isReturnPending`: the old version could not be installed, and its package is kept. */
  | {
      readonly at: 'finish';
      readonly run: Run;
      readonly result: UpdateResult;
      readonly isReturnPending: boolean;
    };

export type InstallationEvent =
  | { readonly type: 'done' }
  /** `problem`: a sentence without its end. */
  | { readonly type: 'failed'; readonly problem: string };

/** How often a power cut or a crash may interrupt an action. */
export const STARTS_MAX = { install: 3, gate: 5, return: 10 } as const;

export function firstState(run: Run): InstallationState {
  return { at: 'install', run, starts: 0 };
}

/** The state to make durable before its action begins. */
export function begin(state: InstallationState): InstallationState {
  if (state.at === 'finish') return state;
  if (state.starts < STARTS_MAX[state.at]) return { ...state, starts: state.starts + 1 };
  const problem = `it was interrupted ${state.starts} times`;
  return begin(next(state, { type: 'failed', problem }));
}

export function next(state: InstallationState, event: InstallationEvent): InstallationState {
  switch (state.at) {
    case 'install':
      return event.type === 'done'
        ? { at: 'gate', run: state.run, starts: 0 }
        : goBack(state.run, `dpkg did not install version ${state.run.version}: ${event.problem}`);
    case 'gate':
      return event.type === 'done' ? finish(state.run, 'updated') : goBack(state.run, event.problem);
    case 'return':
      if (event.type === 'done') return finish(state.run, 'failed', state.reason);
      return {
        ...finish(
          state.run,
          'failed',
          `${state.reason}; and version ${state.run.previous} could not be installed again (${event.problem}): run dpkg --install /var/lib/firstlight-update/run/old.deb`,
        ),
        isReturnPending: true,
      };
    case 'finish':
      return state;
  }
}

function goBack(run: Run, reason: string): InstallationState {
  return { at: 'return', run, starts: 0, reason };
}

function finish(run: Run, outcome: Outcome, problem?: string): InstallationState & { readonly at: 'finish' } {
  const { version, previous, file } = run;
  const result = { outcome, file, version, previous, ...(problem !== undefined && { problem }) };
  return { at: 'finish', run, result, isReturnPending: false };
}

/** For a line about the last update. */
export function describeResult({ outcome, version, previous, problem }: UpdateResult): string {
  if (outcome === 'updated') return `updated from ${previous} to ${version}`;
  return `${outcome}${version === undefined ? '' : ` ${version}`}: ${problem}`;
}
