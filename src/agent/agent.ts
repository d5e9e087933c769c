/**
 * The agent: two loops and a queue between them.
 *
 * `sample` reads the host on a steady beat and appends to the outbox; it never waits for the network, the disk or the
 * right time. `converse` holds the conversation with the server and empties the outbox. Offline is not a mode: it is the
 * second loop waiting while the first goes on. Two caretakers go beside them: `Dating` watches the clock, and the outbox
 * moves what waits too long to the disk. Where there is a service manager, it is told how the loops get on. Knows ports, no
 * adapter. Ends when the signal aborts; a bug in any of them ends all and rejects.
 */

import { together } from '../core/async/tasks.ts';
import { Delivery, type DeliveryPorts } from '../core/delivery/delivery.ts';
import { tell } from '../core/events/catalogue.ts';
import { converseMsMax, SAMPLING_MS_MAX, SLACK_MS } from '../core/health/deadlines.ts';
import { Progress, type Pulse } from '../core/health/liveness.ts';
import { WatchedOutbox, watchedTransport } from '../core/health/monitored-ports.ts';
import { supervise } from '../core/health/watchdog.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Outbox } from '../core/ports/outbox.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import { Changes, type Deadbands } from '../core/sampling/delta.ts';
import { type ActionPorts, act, type ProvisioningSettings } from '../core/session/actions.ts';
import { next, START, startWithToken } from '../core/session/machine.ts';
import { Narrator, notSilently } from '../core/session/session-log.ts';
import type { State } from '../core/session/state.ts';
import { Tally } from '../core/status/counters.ts';
import type { Chronicle } from '../core/status/event-history.ts';
import { report, type Servers } from '../core/status/publisher.ts';
import type { StatusBoard } from '../core/status/report.ts';
import { Status } from '../core/status/status.ts';
import type { Dating } from '../core/timestamps/timestamper.ts';

export interface AgentPorts extends ActionPorts, Omit<DeliveryPorts, keyof ActionPorts> {
  readonly sensors: Sensors;
  readonly dating: Dating;
  /** Absent: nobody wants to know how the agent does. */
  readonly service?: ServiceManager | undefined;
  /** The server by the road in use now. Absent: there is but one, `settings.server`. */
  readonly road?: () => string;
  /** Absent: nobody counts beyond these loops. */
  readonly tally?: Tally | undefined;
  /** Absent: nobody can read it anywhere. */
  readonly board?: { readonly status: StatusBoard; readonly chronicle: Chronicle } | undefined;
}

export interface AgentSettings extends ProvisioningSettings {
  /** Time between readings, ms; the first is taken at once, the second may come early. */
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

/** The agent with one set of settings from its start to its end. */
export function runAgent(ports: AgentPorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  return together([(stop) => runLoops(ports, settings, stop), (stop) => runCaretakers(ports, stop)], signal);
}

/** What does not depend on the settings of the loops, and goes on when they begin anew with others. */
export function runCaretakers(
  { dating, outbox }: Pick<AgentPorts, 'dating' | 'outbox'>,
  signal: AbortSignal,
): Promise<void> {
  return together(
    [
      (stop) => dating.watch((offsetMs) => outbox.anchor(Math.round(offsetMs)), stop),
      (stop) => outbox.keep(stop),
    ],
    signal,
  );
}

/** The two loops. What was taken from the outbox and not acknowledged stays taken: `rewind` before others begin. */
export function runLoops(ports: AgentPorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { clock, log, outbox, service, board } = ports;
  const progress = new Progress(clock);
  const status = new Status({ clock, outbox });
  if (settings.token) status.given();
  const reporting = board && { ...ports, status, board: board.status, chronicle: board.chronicle };
  const watched = { ...ports, progress, status, place: ports.chance.random() };
  return together(
    [
      (stop) => sample(watched, settings, stop),
      (stop) => converse(watched, settings, stop),
      ...(service ? [(stop: AbortSignal) => supervise({ clock, log, service, progress, status }, stop)] : []),
      ...(reporting ? [(stop: AbortSignal) => report(reporting, serversOf(ports, settings), stop)] : []),
    ],
    signal,
  );
}

/** `server` is the first of the list, to which the credentials are bound. */
function serversOf({ road }: Pick<AgentPorts, 'road'>, { server }: AgentSettings): Servers {
  return { preferred: server, inUse: road ?? (() => server) };
}

interface Watched {
  readonly progress: Progress;
  readonly status: Status;
  /** This gateway's in its fleet, by chance, in [0, 1): which part of a spread it waits. */
  readonly place: number;
}

interface SamplePorts extends Watched {
  readonly clock: Clock;
  readonly sensors: Sensors;
  readonly dating: Dating;
  readonly outbox: Outbox;
  readonly log: Logger;
}

/**
 * Keeps to the grid it started on: a late sample does not shift the following ones, a missed one is not made
 * up for. A fleet that gets its power back in one second must not sample, and post, in the same second for years: the second
 * sample comes early, by its part of the spread and at most by half the time between two.
 */
async function sample(ports: SamplePorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { clock, sensors, dating, outbox, progress, place } = ports;
  using pulse = progress.pulse();
  const changes = new Changes(settings.deadbands);
  const startedMs = clock.monotonicMs() - place * Math.min(settings.spreadMs, settings.sampleEveryMs / 2);
  let beat = 0;
  let emptySaid = false;
  while (!signal.aborted) {
    const stamp = dating.stamp();
    pulse.expect('reading the sensors', SAMPLING_MS_MAX);
    const values = await sensors.sample();
    // Without a date it may reach the server alone, before or instead of those around it: then it must say all.
    const change = changes.of(values, stamp.bootMs, outbox.wantsFull || stamp.tsMs === undefined);
    if (change) outbox.append({ ...stamp, ...change });
    else if (Object.keys(values).length === 0 && !emptySaid) {
      emptySaid = true;
      tell(ports.log, 'FL-NO-SENSOR');
    }
    const elapsedMs = clock.monotonicMs() - startedMs;
    // `beat + 1` because a timer may fire a fraction of a millisecond early: the same beat is never sampled
    // twice.
    beat = Math.max(beat, Math.floor(elapsedMs / settings.sampleEveryMs)) + 1;
    const forMs = beat * settings.sampleEveryMs - elapsedMs;
    pulse.expect('waiting for the next sample', forMs + SLACK_MS);
    await clock.sleep(forMs, signal);
  }
}

async function converse(
  ports: AgentPorts & Watched,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<void> {
  const { clock, progress, status, place } = ports;
  using pulse = progress.pulse();
  const delivery = deliveryOf(ports, settings, pulse);
  const narrator = new Narrator(
    ports.log,
    serversOf(ports, settings).inUse,
    () => ports.outbox.fresh.size + ports.outbox.backlog.size,
  );
  // A fleet that gets its power back in one second must not arrive in that second.
  const spreadMs = place * settings.spreadMs;
  ports.log.debug('waiting before the first request, so that a fleet spreads out', {
    forS: Math.round(spreadMs / 1000),
  });
  pulse.expect('waiting before the first request', spreadMs + SLACK_MS);
  await clock.sleep(spreadMs, signal);
  if (signal.aborted) return;
  status.begin();
  let state: State = settings.token ? startWithToken(settings.deviceName, settings.token) : START;
  for (;;) {
    pulse.expect(`the conversation: ${state.at}`, converseMsMax(state));
    const action = act(state, ports, settings, delivery, signal);
    const event = await (state.at === 'provision' ? notSilently(action, ports, signal) : action);
    if (signal.aborted) return;
    const monotonicMs = clock.monotonicMs();
    const random = ports.chance.random();
    const { deviceName, reprovision: mayProvision = false } = settings;
    const after = next(state, event, { monotonicMs, random, mayProvision, deviceName });
    narrator.tell(state, event, after, monotonicMs);
    status.tell(event, after);
    state = after;
  }
}

function deliveryOf(ports: AgentPorts & Watched, settings: AgentSettings, pulse: Pulse): Delivery {
  const { progress, status, tally = new Tally() } = ports;
  const outbox = new WatchedOutbox(ports.outbox, progress, pulse);
  const transport = watchedTransport(ports.transport, progress);
  const { drainPerS, spreadMs: drainSpreadMs } = settings;
  const delivery = new Delivery({ ...ports, outbox, transport }, { drainPerS, drainSpreadMs });
  tally.count(() => delivery.delivered);
  status.count(() => tally.delivered);
  return delivery;
}
