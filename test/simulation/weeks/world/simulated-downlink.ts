/**
 * The downlink of one process at the level of the `Transport` port: a registration is a request, repeated every four minutes and
 * after a gap; a notification is a confirmable datagram that the server repeats four times.
 */

import { AsyncSignal } from '../../../../src/core/async/async-signal.ts';
import { aborted, type Result } from '../../../../src/core/failures/failure.ts';
import type { Clock } from '../../../../src/core/ports/clock.ts';
import type { DownlinkListener } from '../../../../src/core/ports/downlink.ts';
import type { CommandRecord } from '../../downlink/command-record.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { AgentRecord, Ledger } from '../checks/ledger.ts';
import { type Conditions, MINUTE, SECOND } from '../plan/week-plan.ts';
import type { DownlinkServer, Notification } from './downlink-server.ts';
import type { WeekServer } from './week-server.ts';

const RENEW_MS = 4 * MINUTE;
const PAUSE_AFTER_GAP_MS = 5 * SECOND;
/** Of a confirmable notification: the pauses after each attempt, ms. */
const REPETITIONS_MS = [2_500, 5_000, 10_000, 20_000, 40_000];

export interface SimulatedDownlinkPorts {
  readonly time: VirtualTime;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly server: WeekServer;
  readonly downlink: DownlinkServer;
  readonly record: CommandRecord;
  readonly conditions: () => Conditions;
  readonly act: (effect: () => void) => void;
  readonly agent: AgentRecord;
}

/** One request; `execute` runs when the server accepts it. */
export type SendRequest = (signal: AbortSignal, execute: () => void) => Promise<Result<void>>;

export class SimulatedDownlink {
  readonly #ports: SimulatedDownlinkPorts;

  constructor(ports: SimulatedDownlinkPorts) {
    this.#ports = ports;
  }

  async listen(request: SendRequest, listener: DownlinkListener, signal: AbortSignal): Promise<Result<void>> {
    const { downlink, clock, agent, ledger } = this.#ports;
    for (;;) {
      let all: Readonly<Record<string, unknown>> = {};
      let isHearing = false;
      const gaps = new AsyncSignal();
      const isActive = () => isHearing && !signal.aborted && agent.diedMs === undefined;
      const registered = await request(signal, () => {
        all = { ...downlink.attributes };
        downlink.register({
          process: agent.number,
          notify: (notification, hasGap, done) =>
            this.#notify(notification, listener, { isActive, onGap: () => hasGap && gaps.notify() }, done),
        });
      });
      if (!registered.ok) return registered;
      ledger.trace(() => `registered: ${JSON.stringify(all).slice(0, 200)}`);
      isHearing = true;
      listener.onAttributes({ is: 'all', values: all });
      listener.onRegistered();
      const { version } = gaps;
      await gaps.waitUpTo(RENEW_MS, clock, signal, version);
      if (!signal.aborted && gaps.version !== version) await clock.sleep(PAUSE_AFTER_GAP_MS, signal);
      isHearing = false;
      if (signal.aborted) return aborted();
    }
  }

  reply(request: SendRequest, id: number, signal: AbortSignal): Promise<Result<void>> {
    const { downlink, record } = this.#ports;
    record.onReply(id);
    return request(signal, () => downlink.onReply(id));
  }

  #notify(
    notification: Notification,
    listener: DownlinkListener,
    { isActive, onGap }: { readonly isActive: () => boolean; readonly onGap: () => void },
    done: (isAcknowledged: boolean) => void,
  ): void {
    const { time, random, server, conditions, act, ledger } = this.#ports;
    let heardMs: number | undefined;
    let isOver = false;
    const isLost = () => random.isTrue(conditions().lostShare);
    const delayMs = () => random.between(conditions().delayMsMin, conditions().delayMsMax);
    const arrive = () => {
      if (!isActive()) return;
      if (heardMs === undefined) {
        heardMs = time.nowMs;
        ledger.trace(() => `notified: ${JSON.stringify(notification).slice(0, 200)}`);
        this.#hand(notification, listener);
        onGap();
      }
      if (isLost()) return;
      time.after(delayMs(), () => {
        if (isOver) return;
        isOver = true;
        if (notification.is === 'command')
          notification.command.acknowledged ??= { atMs: heardMs ?? 0, process: this.#ports.agent.number };
        done(true);
      });
    };
    const attempt = (index: number): void => {
      const pauseMs = REPETITIONS_MS[index];
      if (isOver) return;
      if (pauseMs === undefined) {
        isOver = true;
        done(false);
        return;
      }
      const isUp = server.serverState === 'reachable' || server.serverState === 'overloaded';
      if (isUp && !isLost()) time.after(delayMs(), () => act(arrive));
      time.after(pauseMs, () => attempt(index + 1));
    };
    attempt(0);
  }

  #hand(notification: Notification, listener: DownlinkListener): void {
    if (notification.is !== 'command') return listener.onAttributes(notification);
    const { command } = notification;
    const { id, method, serial } = command;
    this.#ports.record.onDelivered(command);
    listener.onCommand({ id, method, params: { serial } });
  }
}
