/**
 * The agent: two loops and a queue between them.
 *
 * `sample` reads the host on a steady beat and appends to the outbox; it never waits for the network, the disk or the
 * right time. `converse` holds the conversation with the server and empties the outbox. Offline is not a mode: it is the
 * second loop waiting while the first goes on. Two caretakers go beside them: `Dating` watches the clock, and the outbox
 * moves what waits too long to the disk. Knows ports, no adapter. Ends when the signal aborts; a bug in any of them ends
 * all and rejects.
 */

import { type ActionPorts, act, type ProvisioningSettings } from './core/actions.ts';
import { Changes, type Deadbands } from './core/changes.ts';
import type { Dating } from './core/dating.ts';
import { Delivery, type DeliveryPorts } from './core/delivery.ts';
import { LinkedAbort } from './core/linked-abort.ts';
import { Narrator } from './core/narrator.ts';
import type { Clock, Logger, Outbox, Sensors } from './core/ports.ts';
import type { Secret } from './core/secret.ts';
import { next, START, startWithToken } from './core/session.ts';
import type { State } from './core/session-state.ts';

export interface AgentPorts extends ActionPorts, Omit<DeliveryPorts, keyof ActionPorts> {
  readonly sensors: Sensors;
  readonly dating: Dating;
}

export interface AgentSettings extends ProvisioningSettings {
  /** Time between readings, ms; the first is taken at once. */
  readonly sampleEveryMs: number;
  /** Given by the operator: then there is nothing to provision and nothing to store. */
  readonly token?: Secret;
  /** Provision again, under the same name, when the server has revoked the token. Absent: no. */
  readonly reprovision?: boolean;
  /** Messages of a backlog per second, at most. */
  readonly drainPerS: number;
  /** How far a value may move unreported, by key. Absent: not at all. */
  readonly deadbands?: Deadbands;
}

export async function runAgent(
  ports: AgentPorts,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<void> {
  using stop = new LinkedAbort(signal);
  const { dating, outbox } = ports;
  const loops = [
    sample(ports, settings, stop.signal),
    converse(ports, settings, stop.signal),
    dating.watch((offsetMs) => outbox.anchor(Math.round(offsetMs)), stop.signal),
    outbox.keep(stop.signal),
  ].map((loop) =>
    loop.catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(loops);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

interface SamplePorts {
  readonly clock: Clock;
  readonly sensors: Sensors;
  readonly dating: Dating;
  readonly outbox: Outbox;
  readonly log: Logger;
}

/**
 * Keeps to the grid it started on: a late sample does not shift the following ones, a missed one is not made
 * up for.
 */
async function sample(ports: SamplePorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { clock, sensors, dating, outbox } = ports;
  const changes = new Changes(settings.deadbands);
  const startedMs = clock.monotonicMs();
  let beat = 0;
  let emptySaid = false;
  while (!signal.aborted) {
    const stamp = dating.stamp();
    const values = await sensors.sample();
    // Without a date it may reach the server alone, before or instead of those around it: then it must say all.
    const change = changes.of(values, stamp.bootMs, outbox.wantsFull || stamp.tsMs === undefined);
    if (change) outbox.append({ ...stamp, ...change });
    else if (Object.keys(values).length === 0 && !emptySaid) {
      emptySaid = true;
      ports.log.error(
        'no sensor of this host can be read: check that /proc and /sys are visible to the agent',
      );
    }
    const elapsedMs = clock.monotonicMs() - startedMs;
    // `beat + 1` because a timer may fire a fraction of a millisecond early: the same beat is never sampled
    // twice.
    beat = Math.max(beat, Math.floor(elapsedMs / settings.sampleEveryMs)) + 1;
    await clock.sleep(beat * settings.sampleEveryMs - elapsedMs, signal);
  }
}

async function converse(ports: AgentPorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { drainPerS, spreadMs: drainSpreadMs } = settings;
  const delivery = new Delivery(ports, { drainPerS, drainSpreadMs });
  const narrator = new Narrator(ports.log, settings.server);
  // A fleet that gets its power back in one second must not arrive in that second.
  const spreadMs = ports.chance.random() * settings.spreadMs;
  ports.log.debug('waiting before the first request, so that a fleet spreads out', {
    forS: Math.round(spreadMs / 1000),
  });
  await ports.clock.sleep(spreadMs, signal);
  if (signal.aborted) return;
  let state: State = settings.token ? startWithToken(settings.deviceName, settings.token) : START;
  for (;;) {
    const action = act(state, ports, settings, delivery, signal);
    const event = await (state.at === 'provision' ? notSilently(action, ports, signal) : action);
    if (signal.aborted) return;
    const monotonicMs = ports.clock.monotonicMs();
    const random = ports.chance.random();
    const { deviceName, reprovision: mayProvision = false } = settings;
    const after = next(state, event, { monotonicMs, random, mayProvision, deviceName });
    narrator.tell(state, event, after, monotonicMs);
    state = after;
  }
}

/** An operator who watches a first boot hears of a silence long before the request is given up, ms. */
const SILENCE_TOLD_AFTER_MS = 20_000;

/** Provisioning is patient for four minutes; this says so while it is. */
async function notSilently<T>(
  action: Promise<T>,
  { clock, log }: AgentPorts,
  signal: AbortSignal,
): Promise<T> {
  using over = new LinkedAbort(signal);
  void clock.sleep(SILENCE_TOLD_AFTER_MS, over.signal).then(() => {
    if (over.signal.aborted) return;
    log.warn(
      'the server has not answered the provisioning request yet, which is repeated for four minutes: check that it runs and that UDP to server.url passes every firewall on the way',
    );
  });
  try {
    return await action;
  } finally {
    over.abort();
  }
}
