/**
 * The agent: two loops and a queue between them.
 *
 * `sample` reads the host on a steady beat and appends to the outbox; it never waits for the network, the disk or the
 * right time. `converse` holds the conversation with the server and empties the outbox. Offline is not a mode: it is the
 * second loop waiting while the first goes on. Two caretakers go beside them: `Dating` watches the clock, and the outbox
 * moves what waits too long to the disk. Where there is a service manager, it is told how the loops get on. Knows ports, no
 * adapter. Ends when the signal aborts; a bug in any of them ends all and rejects.
 */

import { runAll } from '../core/async/tasks.ts';
import { Delivery, type DeliveryPorts } from '../core/delivery/delivery.ts';
import { logEvent } from '../core/events/catalogue.ts';
import { SAMPLING_MS_MAX, SLACK_MS, sessionStepMsMax } from '../core/health/deadlines.ts';
import { type Heartbeat, Liveness } from '../core/health/liveness.ts';
import { MonitoredOutbox, monitorTransport } from '../core/health/monitored-ports.ts';
import { runWatchdog } from '../core/health/watchdog.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Outbox } from '../core/ports/outbox.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import { type Deadbands, DeltaEncoder } from '../core/sampling/delta.ts';
import { type ActionPorts, type ProvisioningSettings, runAction } from '../core/session/actions.ts';
import { INITIAL_STATE, nextState, stateWithToken } from '../core/session/machine.ts';
import { SessionLog, warnIfSlow } from '../core/session/session-log.ts';
import type { SessionState } from '../core/session/state.ts';
import { DeliveryCounters } from '../core/status/counters.ts';
import type { EventHistory } from '../core/status/event-history.ts';
import { type EndpointNames, publishStatus } from '../core/status/publisher.ts';
import type { StatusSink } from '../core/status/report.ts';
import { Status } from '../core/status/status.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';

export interface AgentPorts extends ActionPorts, Omit<DeliveryPorts, keyof ActionPorts> {
  readonly sensors: Sensors;
  readonly timestamper: Timestamper;
  /** Absent: nobody wants to know how the agent does. */
  readonly service?: ServiceManager | undefined;
  /** The server by the road in use now. Absent: there is but one, `settings.server`. */
  readonly endpoint?: () => string;
  /** Absent: nobody counts beyond these loops. */
  readonly counters?: DeliveryCounters | undefined;
  /** Absent: nobody can read it anywhere. */
  readonly statusOutput?: { readonly sink: StatusSink; readonly eventHistory: EventHistory } | undefined;
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
  return runAll(
    [
      (taskSignal) => runLoops(ports, settings, taskSignal),
      (taskSignal) => runBackgroundTasks(ports, taskSignal),
    ],
    signal,
  );
}

/** What does not depend on the settings of the loops, and goes on when they begin anew with others. */
export function runBackgroundTasks(
  { timestamper, outbox }: Pick<AgentPorts, 'timestamper' | 'outbox'>,
  signal: AbortSignal,
): Promise<void> {
  return runAll(
    [
      (taskSignal) => timestamper.run((offsetMs) => outbox.setBootOffset(Math.round(offsetMs)), taskSignal),
      (taskSignal) => outbox.run(taskSignal),
    ],
    signal,
  );
}

/** The two loops. What was taken from the outbox and not acknowledged stays taken: `rewind` before others begin. */
export function runLoops(ports: AgentPorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { clock, log, outbox, service, statusOutput } = ports;
  const liveness = new Liveness(clock);
  const status = new Status({ clock, outbox });
  if (settings.token) status.setTokenConfigured();
  const publisherPorts = statusOutput && {
    ...ports,
    status,
    sink: statusOutput.sink,
    eventHistory: statusOutput.eventHistory,
  };
  const monitored = { ...ports, liveness, status, spreadShare: ports.random.uniform() };
  return runAll(
    [
      (taskSignal) => runSampling(monitored, settings, taskSignal),
      (taskSignal) => runSession(monitored, settings, taskSignal),
      ...(service
        ? [(taskSignal: AbortSignal) => runWatchdog({ clock, log, service, liveness, status }, taskSignal)]
        : []),
      ...(publisherPorts
        ? [
            (taskSignal: AbortSignal) =>
              publishStatus(publisherPorts, endpointsOf(ports, settings), taskSignal),
          ]
        : []),
    ],
    signal,
  );
}

/** `server` is the first of the list, to which the credentials are bound. */
function endpointsOf({ endpoint }: Pick<AgentPorts, 'endpoint'>, { server }: AgentSettings): EndpointNames {
  return { preferred: server, inUse: endpoint ?? (() => server) };
}

interface Monitored {
  readonly liveness: Liveness;
  readonly status: Status;
  /** This gateway's in its fleet, by chance, in [0, 1): which part of a spread it waits. */
  readonly spreadShare: number;
}

interface SamplePorts extends Monitored {
  readonly clock: Clock;
  readonly sensors: Sensors;
  readonly timestamper: Timestamper;
  readonly outbox: Outbox;
  readonly log: Logger;
}

/**
 * Keeps to the grid it started on: a late sample does not shift the following ones, a missed one is not made
 * up for. A fleet that gets its power back in one second must not sample, and post, in the same second for years: the second
 * sample comes early, by its part of the spread and at most by half the time between two.
 */
async function runSampling(ports: SamplePorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { clock, sensors, timestamper, outbox, liveness, spreadShare } = ports;
  using heartbeat = liveness.heartbeat();
  const deltaEncoder = new DeltaEncoder(settings.deadbands);
  const startedMs =
    clock.monotonicMs() - spreadShare * Math.min(settings.spreadMs, settings.sampleEveryMs / 2);
  let beat = 0;
  let isEmptyLogged = false;
  while (!signal.aborted) {
    const instant = timestamper.now();
    heartbeat.expectWithin('reading the sensors', SAMPLING_MS_MAX);
    const values = await sensors.sample();
    // Without a date it may reach the server alone, before or instead of those around it: then it must say all.
    const delta = deltaEncoder.next(
      values,
      instant.bootMs,
      outbox.needsSnapshot || instant.tsMs === undefined,
    );
    if (delta) outbox.append({ ...instant, ...delta });
    else if (Object.keys(values).length === 0 && !isEmptyLogged) {
      isEmptyLogged = true;
      logEvent(ports.log, 'FL-SENSORS-UNAVAILABLE');
    }
    const elapsedMs = clock.monotonicMs() - startedMs;
    // `beat + 1` because a timer may fire a fraction of a millisecond early: the same beat is never sampled
    // twice.
    beat = Math.max(beat, Math.floor(elapsedMs / settings.sampleEveryMs)) + 1;
    const forMs = beat * settings.sampleEveryMs - elapsedMs;
    heartbeat.expectWithin('waiting for the next sample', forMs + SLACK_MS);
    await clock.sleep(forMs, signal);
  }
}

async function runSession(
  ports: AgentPorts & Monitored,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<void> {
  const { clock, liveness, status, spreadShare } = ports;
  using heartbeat = liveness.heartbeat();
  const delivery = createDelivery(ports, settings, heartbeat);
  const sessionLog = new SessionLog(
    ports.log,
    endpointsOf(ports, settings).inUse,
    () => ports.outbox.fresh.size + ports.outbox.backlog.size,
  );
  // A fleet that gets its power back in one second must not arrive in that second.
  const spreadMs = spreadShare * settings.spreadMs;
  ports.log.debug('waiting before the first request, so that a fleet spreads out', {
    forS: Math.round(spreadMs / 1000),
  });
  heartbeat.expectWithin('waiting before the first request', spreadMs + SLACK_MS);
  await clock.sleep(spreadMs, signal);
  if (signal.aborted) return;
  status.start();
  let state: SessionState = settings.token
    ? stateWithToken(settings.deviceName, settings.token)
    : INITIAL_STATE;
  for (;;) {
    heartbeat.expectWithin(`the conversation: ${state.at}`, sessionStepMsMax(state));
    const action = runAction(state, ports, settings, delivery, signal);
    const event = await (state.at === 'provision' ? warnIfSlow(action, ports, signal) : action);
    if (signal.aborted) return;
    const monotonicMs = clock.monotonicMs();
    const random = ports.random.uniform();
    const { deviceName, reprovision: mayProvision = false } = settings;
    const nextStep = nextState(state, event, { monotonicMs, random, mayProvision, deviceName });
    sessionLog.logStep(state, event, nextStep, monotonicMs);
    status.onStep(event, nextStep);
    state = nextStep;
  }
}

function createDelivery(
  ports: AgentPorts & Monitored,
  settings: AgentSettings,
  heartbeat: Heartbeat,
): Delivery {
  const { liveness, status, counters = new DeliveryCounters() } = ports;
  const outbox = new MonitoredOutbox(ports.outbox, liveness, heartbeat);
  const transport = monitorTransport(ports.transport, liveness);
  const { drainPerS, spreadMs: drainSpreadMs } = settings;
  const delivery = new Delivery({ ...ports, outbox, transport }, { drainPerS, drainSpreadMs });
  counters.startDelivery(() => delivery.delivered);
  status.setDeliveredCounter(() => counters.delivered);
  return delivery;
}
