/**
 * The agent: a sampling loop, a session loop and the outbox between them, and a downlink loop that listens to the server while
 * the session delivers (downlink-tasks.ts). Offline is not a mode: the session loop waits while sampling continues without waiting
 * for network, disk or clock. Two background tasks: the timestamper maintains the clock offset, the outbox flushes old readings to disk. A bug in any task ends all tasks and rejects.
 */

import { runAll } from '../core/async/tasks.ts';
import { Delivery, type DeliveryPorts } from '../core/delivery/delivery.ts';
import { Connection } from '../core/downlink/connection.ts';
import { DownlinkStatus } from '../core/downlink/downlink-status.ts';
import { logEvent } from '../core/events/catalogue.ts';
import { DELIVERING_MS_MAX, SAMPLING_MS_MAX, SLACK_MS, sessionStepMsMax } from '../core/health/deadlines.ts';
import { type Heartbeat, Liveness } from '../core/health/liveness.ts';
import { MonitoredOutbox, monitorTransport } from '../core/health/monitored-ports.ts';
import { runWatchdog } from '../core/health/systemd-watchdog.ts';
import type { Report } from '../core/model/config.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Outbox } from '../core/ports/outbox.ts';
import type { Sensors } from '../core/ports/sensors.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import { type Deadbands, DeltaEncoder } from '../core/sampling/delta.ts';
import type { ActionPorts, ProvisioningSettings } from '../core/session/action-ports.ts';
import { runAction } from '../core/session/actions.ts';
import { INITIAL_STATE, nextState, stateWithToken } from '../core/session/machine.ts';
import { SessionLog, warnIfSlow } from '../core/session/session-log.ts';
import type { SessionState } from '../core/session/state.ts';
import { DeliveryCounters } from '../core/status/counters.ts';
import type { EventHistory } from '../core/status/event-history.ts';
import { type EndpointNames, publishStatus } from '../core/status/publisher.ts';
import type { StatusSink } from '../core/status/report.ts';
import { Status } from '../core/status/status.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';
import { type DownlinkHandlers, downlinkTasks } from './downlink-tasks.ts';

export interface AgentPorts extends ActionPorts, Omit<DeliveryPorts, keyof ActionPorts> {
  readonly sensors: Sensors;
  readonly timestamper: Timestamper;
  /** Absent if no service manager started the agent. */
  readonly service?: ServiceManager | undefined;
  /** The endpoint in use. Absent if there is only one, `settings.server`. */
  readonly endpoint?: () => string;
  /** Absent if no counters outlive these loops. */
  readonly counters?: DeliveryCounters | undefined;
  /** Absent if the agent does not listen to the server. */
  readonly downlink?: DownlinkHandlers | undefined;
  /** Absent if there is no place for the status. */
  readonly statusOutput?: { readonly sink: StatusSink; readonly eventHistory: EventHistory } | undefined;
}

export interface AgentSettings extends ProvisioningSettings {
  /** Time between readings, ms. The first is taken immediately, the second may come earlier (see `runSampling`). */
  readonly sampleEveryMs: number;
  /** From the configuration; nothing is provisioned or stored then. */
  readonly token?: Secret;
  /** Provision again under the same name after the server revoked the token. Default: false. */
  readonly reprovision?: boolean;
  /** Maximum rate of backlog messages, per second. */
  readonly drainPerS: number;
  /** How long fresh readings are gathered before they are sent together, ms. Absent: not at all. */
  readonly sendEveryMs?: number;
  /** Minimum change, per key, for a value to be reported again. Absent: any change. */
  readonly deadbands?: Deadbands;
  /** Absent: changes. */
  readonly report?: Report;
  /** Upper limit of the wait before the first request, ms. Absent: `spreadMs`. */
  readonly firstRequestMsMax?: number;
}

/** Runs the agent with one set of settings until the signal aborts. */
export function runAgent(ports: AgentPorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  return runAll(
    [
      (taskSignal) => runLoops(ports, settings, taskSignal),
      (taskSignal) => runBackgroundTasks(ports, taskSignal),
    ],
    signal,
  );
}

/** Runs the tasks that do not depend on the settings and continue when the loops restart with other settings. */
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

/** Runs the loops. Unacknowledged readings stay taken from the outbox: call `rewind` before other loops start. */
export function runLoops(ports: AgentPorts, settings: AgentSettings, signal: AbortSignal): Promise<void> {
  const { clock, log, outbox, service, statusOutput } = ports;
  const liveness = new Liveness(clock);
  const status = new Status({ clock, outbox });
  if (settings.token) status.setTokenConfigured();
  const { downlink } = ports;
  const downlinkStatus = downlink && new DownlinkStatus(clock, downlink.subscriptions);
  const publisherPorts = statusOutput && { ...ports, ...statusOutput, status, downlinkStatus };
  const connection = new Connection();
  const monitored = { ...ports, liveness, status, connection, spreadShare: ports.random.uniform() };
  return runAll(
    [
      (taskSignal) => runSampling(monitored, settings, taskSignal),
      (taskSignal) => runSession(monitored, settings, taskSignal),
      ...(service
        ? [(taskSignal: AbortSignal) => runWatchdog({ clock, log, service, liveness, status }, taskSignal)]
        : []),
      ...(downlink && downlinkStatus ? downlinkTasks(ports, downlink, connection, downlinkStatus) : []),
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

/** The preferred endpoint is the first of the list, to which the credentials are bound. */
function endpointsOf({ endpoint }: Pick<AgentPorts, 'endpoint'>, { server }: AgentSettings): EndpointNames {
  return { preferred: server, inUse: endpoint ?? (() => server) };
}

interface Monitored {
  readonly liveness: Liveness;
  readonly status: Status;
  readonly connection: Connection;
  /** The random share of `spreadMs` that this gateway waits, in [0, 1). */
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
 * Samples on the grid of its start time: a late sample does not shift the next ones, and a missed one is not repeated. The second
 * sample comes earlier by the gateway's share of the spread, at most by half an interval. Otherwise a fleet that gets its power
 * back at once would sample and post in the same second for years.
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
    // A reading without a timestamp may arrive alone, so it must be a snapshot of all values.
    const delta = deltaEncoder.next(
      values,
      instant.bootMs,
      settings.report === 'all' || outbox.needsSnapshot || instant.tsMs === undefined,
    );
    if (delta) outbox.append({ ...instant, ...delta });
    else if (Object.keys(values).length === 0 && !isEmptyLogged) {
      isEmptyLogged = true;
      logEvent(ports.log, 'FL-SENSORS-UNAVAILABLE');
    }
    const elapsedMs = clock.monotonicMs() - startedMs;
    // At least `beat + 1`: a timer can fire a fraction of a millisecond early, and no beat is sampled twice.
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
  const { clock, liveness, status, connection, spreadShare } = ports;
  using heartbeat = liveness.heartbeat();
  const delivery = createDelivery(ports, settings, heartbeat);
  const sessionLog = new SessionLog(
    ports.log,
    endpointsOf(ports, settings).inUse,
    () => ports.outbox.fresh.size + ports.outbox.backlog.size,
  );
  // A fleet that gets its power back at once must not send its first requests at once.
  const spreadMs = spreadShare * Math.min(settings.spreadMs, settings.firstRequestMsMax ?? settings.spreadMs);
  ports.log.debug('waiting before the first request to spread the load of a fleet', {
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
    heartbeat.expectWithin(`the session state ${state.at}`, sessionStepMsMax(state));
    const action = runAction(state, ports, settings, delivery, signal);
    const event = await (state.at === 'provision' ? warnIfSlow(action, ports, signal) : action);
    if (signal.aborted) return;
    const monotonicMs = clock.monotonicMs();
    const random = ports.random.uniform();
    const { deviceName, reprovision: mayProvision = false } = settings;
    const nextStep = nextState(state, event, { monotonicMs, random, mayProvision, deviceName });
    sessionLog.logStep(state, event, nextStep, monotonicMs);
    status.onStep(event, nextStep);
    connection.onStep(event, nextStep);
    state = nextStep;
  }
}

function createDelivery(
  ports: AgentPorts & Monitored,
  settings: AgentSettings,
  heartbeat: Heartbeat,
): Delivery {
  const { liveness, status, counters = new DeliveryCounters() } = ports;
  const outbox = new MonitoredOutbox(ports.outbox, liveness);
  const transport = monitorTransport(ports.transport, liveness);
  const { drainPerS, spreadMs: drainSpreadMs, sendEveryMs } = settings;
  const onIdle = (wake: () => void) => {
    const resume = heartbeat.idle('waiting for a reading', wake);
    return () => resume('delivering', DELIVERING_MS_MAX);
  };
  const deliverySettings = { drainPerS, drainSpreadMs, ...(sendEveryMs !== undefined && { sendEveryMs }) };
  const delivery = new Delivery({ ...ports, outbox, transport, onIdle }, deliverySettings);
  counters.startDelivery(() => delivery.delivered);
  status.setDeliveredCounter(() => counters.delivered);
  return delivery;
}
