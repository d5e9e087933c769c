/**
 * Root's part of an update as a Moore machine: each state has one action, each action ends in one event, and `next` is pure.
 * A state is durable before its action begins, so that the next boot finishes or goes back.
 *
 *     (staged) ─▶ install ── installed ─▶ gate ── healthy ─▶ finish: updated
 *                    └─ failed ─┐          └─ unhealthy ─┐
 *                               └────────▶ return ◀──────┘── returned ─▶ finish: failed
 *
 * Each state counts its beginnings. A power cut begins it again, and after too many of them the machine goes back. The way back
 * has no other end than the old version: what fails there is tried again, also in the next boots. If another package manager has
 * installed a third version meanwhile, every state ends with "replaced", and that version stays.
 */

import type { AgentHealth } from './health-gate.ts';

/** What the run is about; it does not change. */
export interface Run {
  readonly version: string;
  /** The version that is installed now and comes back if the new one fails. */
  readonly previous: string;
  /** SHA-256 of the manifest, hexadecimal: identifies the update. */
  readonly digest: string;
  /** The id that the agent gave to its request; absent if the operator applied the update. */
  readonly request?: string;
  /** The health of the old version before. */
  readonly before: AgentHealth;
}

/** `replaced`: another package manager installed a third version during the update. */
export type Outcome = 'updated' | 'failed' | 'refused' | 'replaced';

/**
 * What is published about a request. The new version of the agent reads what the program of the old one has written, so members
 * may be added and must not change.
 */
export interface UpdateResult {
  readonly outcome: Outcome;
  /** As in `Run`. */
  readonly request?: string;
  readonly version?: string;
  readonly previous?: string;
  /** Why it was not updated: a sentence "cause: action". */
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
  | { readonly at: 'finish'; readonly run: Run; readonly result: UpdateResult };

export type InstallationEvent =
  | { readonly type: 'done' }
  /** `problem`: a sentence without its end. `isUntouched`: this beginning of the action changed nothing. */
  | { readonly type: 'failed'; readonly problem: string; readonly isUntouched?: boolean }
  /** `version`: the third version, which is installed completely. */
  | { readonly type: 'replaced'; readonly version: string };

/** How often a power cut or a crash may interrupt an action before the machine goes back. */
const STARTS_MAX = { install: 3, gate: 5 } as const;

export function firstState(run: Run): InstallationState {
  return { at: 'install', run, starts: 0 };
}

/** The state to make durable before its action begins. */
export function begin(state: InstallationState): InstallationState {
  if (state.at === 'finish') return state;
  if (state.at === 'return' || state.starts < STARTS_MAX[state.at])
    return { ...state, starts: state.starts + 1 };
  return begin(next(state, { type: 'failed', problem: `it was interrupted ${state.starts} times` }));
}

export function next(state: InstallationState, event: InstallationEvent): InstallationState {
  if (state.at === 'finish') return state;
  const { run, starts } = state;
  if (event.type === 'replaced')
    return finish(
      run,
      'replaced',
      `version ${event.version} was installed by another package manager during the update to ${run.version}: it stays; assign a newer version if needed`,
    );
  switch (state.at) {
    case 'install':
      if (event.type === 'done') return { at: 'gate', run, starts: 0 };
      if (event.isUntouched && starts <= 1)
        return finish(run, 'refused', `dpkg could not begin (${event.problem}): assign the update again`);
      return goBack(run, `dpkg did not install version ${run.version}: ${event.problem}`);
    case 'gate':
      return event.type === 'done' ? finish(run, 'updated') : goBack(run, event.problem);
    case 'return':
      return event.type === 'done' ? finish(run, 'failed', state.reason) : state;
  }
}

function goBack(run: Run, reason: string): InstallationState {
  return { at: 'return', run, starts: 0, reason };
}

function finish(run: Run, outcome: Outcome, problem?: string): InstallationState {
  return { at: 'finish', run, result: resultOf(run, outcome, problem) };
}

function resultOf({ version, previous, request }: Run, outcome: Outcome, problem?: string): UpdateResult {
  return {
    outcome,
    ...(request !== undefined && { request }),
    ...{ version, previous },
    ...(problem !== undefined && { problem }),
  };
}

/** What is published while the way back waits for the next boot. `problem`: why it did not succeed in this one. */
export function postponedResult(
  { run, reason }: InstallationState & { readonly at: 'return' },
  problem: string,
): UpdateResult {
  return resultOf(
    run,
    'failed',
    `${reason}; and version ${run.previous} could not be installed again yet (${problem}): correct that and run systemctl start firstlight-update.path, or restart the gateway`,
  );
}

/** For a line about the last update. */
export function describeResult({ outcome, version, previous, problem }: UpdateResult): string {
  if (outcome === 'updated') return `updated from ${previous} to ${version}`;
  return `${outcome}${version === undefined ? '' : ` ${version}`}: ${problem}`;
}
