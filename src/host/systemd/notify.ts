/**
 * The adapter of the `ServiceManager` port for systemd (sd_notify(3)); there is none without $NOTIFY_SOCKET.
 *
 * Messages go to the socket that the unit passes (passed-socket.ts). Without one, and while it fails, each
 * message is a `systemd-notify` process, which needs NotifyAccess=all in the unit and costs 9 ms of CPU. One
 * message is sent at a time; the socket has a deadline, then the process. Meanwhile only the newest status is
 * kept; states (READY, RELOADING, STOPPING) keep their order and are retried. The agent never waits for it,
 * except for 1 s at its end.
 */

import { logEvent } from '../../core/events/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { ServiceManager } from '../../core/ports/service-manager.ts';
import { runCommand } from '../process/run-command.ts';
import { PassedSocket } from './passed-socket.ts';

export interface SystemdOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
  /** Default: `systemd-notify`. Set by tests only. */
  readonly command?: string;
  readonly deadlineMs?: number;
}

export interface SystemdNotifier extends ServiceManager, AsyncDisposable {}

/** Long enough for a board that has just booted from a slow SD card. */
const DEADLINE_MS = 10_000;
/** Attempts to send one state; the unit's start times out eventually. */
const ATTEMPTS_MAX = 5;
const RETRY_MS = 1_000;
/** How long the end of the agent waits for the last message. */
const FINAL_SEND_MS_MAX = 1_000;
/** It must fit a datagram; an operator reads one line. */
const STATUS_CHARACTERS_MAX = 200;

/** Undefined without $NOTIFY_SOCKET: in a container, under runit, in a terminal. */
export function hostServiceManager(options: SystemdOptions): SystemdNotifier | undefined {
  const socket = options.environment['NOTIFY_SOCKET'];
  return socket === undefined || socket === '' ? undefined : new NotifySocket(socket, options);
}

class NotifySocket implements SystemdNotifier {
  readonly watchdogMs: number | undefined;
  readonly #options: SystemdOptions;
  readonly #socketPath: string;
  readonly #passedSocket: PassedSocket | undefined;
  readonly #states: (readonly string[])[] = [];
  #status: string | undefined;
  #sentStatus: string | undefined;
  #isAlive = false;
  #hasFailed = false;
  #sending: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(socket: string, options: SystemdOptions) {
    this.#socketPath = socket;
    this.#passedSocket = PassedSocket.of(options.environment, options.clock);
    this.#options = options;
    this.watchdogMs = watchdogMsOf(options.environment);
  }

  ready(): void {
    this.#queueState(['READY=1']);
  }

  status(text: string): void {
    // One line, because a second one would be a separate message.
    this.#status = [...text.replace(/\p{Cc}/gu, ' ')].slice(0, STATUS_CHARACTERS_MAX).join('');
    this.#startSending();
  }

  alive(): void {
    this.#isAlive = this.watchdogMs !== undefined;
    this.#startSending();
  }

  reloading(): void {
    // Type=notify-reload requires a time after its signal.
    this.#queueState(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): void {
    this.#queueState(['STOPPING=1', 'STATUS=stopping']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sent = new AbortController();
    void this.#sending?.then(() => sent.abort());
    if (this.#sending !== undefined) await this.#options.clock.sleep(FINAL_SEND_MS_MAX, sent.signal);
    this.#stop.abort();
  }

  #queueState(state: readonly string[]): void {
    this.#states.push(state);
    this.#startSending();
  }

  #startSending(): void {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async #send(): Promise<void> {
    // Collects what is reported in the same turn of the event loop into one message.
    await Promise.resolve();
    while (this.#states.length > 0 || this.#isAlive || this.#status !== this.#sentStatus) {
      const state = this.#states.shift();
      await this.#deliver(
        [...(state ?? []), ...this.#pendingFields()],
        state === undefined ? 1 : ATTEMPTS_MAX,
      );
      if (this.#stop.signal.aborted) return;
    }
  }

  #pendingFields(): readonly string[] {
    const fields = [
      ...(this.#isAlive ? ['WATCHDOG=1'] : []),
      ...(this.#status !== this.#sentStatus ? [`STATUS=${this.#status}`] : []),
    ];
    this.#isAlive = false;
    this.#sentStatus = this.#status;
    return fields;
  }

  async #deliver(message: readonly string[], attemptsMax: number): Promise<void> {
    const { signal } = this.#stop;
    for (let count = 1; !signal.aborted; count += 1) {
      if (await this.#notify(message)) {
        this.#hasFailed = false;
        return;
      }
      if (count >= attemptsMax) return this.#logFailure();
      await this.#options.clock.sleep(RETRY_MS, signal);
    }
  }

  async #notify(message: readonly string[]): Promise<boolean> {
    const { clock, command = 'systemd-notify', deadlineMs = DEADLINE_MS } = this.#options;
    const onLate = () => this.#correctLate(message);
    const { signal } = this.#stop;
    if (await this.#passedSocket?.send(message.join('\n'), deadlineMs, signal, onLate)) return true;
    const environment = { NOTIFY_SOCKET: this.#socketPath };
    const spec = { command, arguments: message, deadlineMs, environment };
    return (await runCommand(spec, clock, signal)) !== undefined;
  }

  /** A message that was given up has arrived after later ones: sends again what it replaced. */
  #correctLate(message: readonly string[]): void {
    if (this.#stop.signal.aborted) return;
    this.#sentStatus = undefined;
    if (message.includes('RELOADING=1')) this.#queueState(['READY=1']);
    else this.#startSending();
  }

  #logFailure(): void {
    if (!this.#hasFailed && !this.#stop.signal.aborted) logEvent(this.#options.log, 'FL-NOTIFY-FAILED');
    this.#hasFailed = true;
  }
}

/** Undefined if $WATCHDOG_PID names another process (sd_watchdog_enabled(3)). */
function watchdogMsOf(environment: SystemdOptions['environment']): number | undefined {
  const { WATCHDOG_USEC: microseconds = '', WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  return /^[1-9]\d{0,15}$/.test(microseconds) ? Number(microseconds) / 1000 : undefined;
}
