/**
 * The downlink of a first boot, over the real CoAP transport and the sandbox: what the operator does, the file of the settings, and
 * what is checked about settings and commands.
 */

import { TRIAL_MS } from '../../../src/core/downlink/settings-trial.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import type { DeviceListener } from '../../../src/sandbox/core/model/types.ts';
import { CommandRecord, type Method, type SentCommand } from '../downlink/command-record.ts';
import { isCuttingOff } from '../downlink/cut-off-transport.ts';
import { type DownlinkAction, LAST_SETTINGS } from '../downlink/draw-downlink.ts';
import type { RemoteGateway } from '../downlink/remote-gateway.ts';
import { SettingsDisk } from '../downlink/settings-disk.ts';
import { override } from '../override.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { PromiseChecker } from './promise-checker.ts';
import type { SimulatedServer } from './simulated-server.ts';
import { GATEWAY } from './strategies.ts';

const MINUTE = 60_000;
/** A command that nobody answers is given up after this time, ms. */
const EXPIRY_MS = 30 * MINUTE;
/** Three trials that fail, and the wait after them, ms. */
const SETTLE_MS = 75 * MINUTE;
/** After the end of a trial, until the loops have stopped, ms. */
const TAKE_BACK_MS = MINUTE;

export class BootDownlink {
  readonly record: CommandRecord;
  readonly disk = new SettingsDisk();
  readonly #time: VirtualTime;
  readonly #server: SimulatedServer;
  readonly #checker: PromiseChecker;
  /** By id, the command that was pushed last. */
  readonly #pushed = new Map<number, SentCommand>();
  readonly #ends = new Map<number, number>();
  /** The process that listens. */
  #process = 0;

  /** The gateway listens. */
  readonly isOn: boolean;

  constructor(time: VirtualTime, server: SimulatedServer, checker: PromiseChecker, isOn: boolean) {
    this.isOn = isOn;
    this.#time = time;
    this.#server = server;
    this.#checker = checker;
    this.record = new CommandRecord(() => time.nowMs);
    server.onSubscribe = (listener) => this.#watch(listener);
    server.onDelivered = (id) => {
      const command = this.#pushed.get(id);
      if (command) command.acknowledged ??= { atMs: time.nowMs, process: this.#process };
    };
  }

  perform(action: DownlinkAction): void {
    const { admin } = this.#server.core;
    if (action.is === 'set') admin.setSharedAttributes(GATEWAY.name, JSON.stringify(action.values));
    else if (action.is === 'delete') admin.deleteSharedAttributes(GATEWAY.name, [action.key]);
    else this.#send(action.method, action.isTwoWay, EXPIRY_MS);
  }

  onUselessWrite(): void {
    this.#checker.report('no settings write without a change', 'the same text again');
  }

  /** A process ends or is asked to. */
  onEnd(process: number): void {
    this.#ends.set(process, this.#time.nowMs);
  }

  /** Loops of a process start with a list of URLs; call the returned function when they have ended. */
  onInstance(urls: readonly string[], process: number, isRunning: () => boolean): () => void {
    this.#process = process;
    if (!urls.every(isCuttingOff)) return () => {};
    return this.#time.after(TRIAL_MS + TAKE_BACK_MS, () => {
      if (isRunning())
        this.#checker.report('no setting that cuts off stays', `process ${process} keeps ${urls.join()}`);
    });
  }

  /** `transport`, whose replies are recorded. */
  observed(transport: Transport): Transport {
    return override<Transport>(transport, {
      reply: (token, commandId, body, signal) => {
        this.record.onReply(commandId);
        return transport.reply(token, commandId, body, signal);
      },
    });
  }

  /** Replaces what would keep a gateway from posting, such as an interval of a day. */
  setLastSettings(): void {
    this.perform({ atMs: 0, is: 'set', values: LAST_SETTINGS });
  }

  /** The last settings count, except the URL that cuts off, and a command is answered. */
  async checkAfterFaults(gateway: () => RemoteGateway | undefined): Promise<void> {
    const time = this.#time;
    // The device may not have existed.
    this.setLastSettings();
    const command = this.#send('read', true, SETTLE_MS);
    const isSettled = () => {
      const { remote, current } = gateway() ?? {};
      const isCutOff = current?.config.server.endpoints.every(({ url }) => isCuttingOff(url));
      return (
        command.replied > 0 &&
        isCutOff === false &&
        remote?.isOnTrial === false &&
        current?.config.telemetry.intervalMs === LAST_INTERVAL_MS
      );
    };
    await time.run(time.nowMs + SETTLE_MS, isSettled);
    if (isSettled()) return;
    const report = JSON.stringify(gateway()?.remote.report.values);
    this.#checker.report(
      'settings and commands work after the faults',
      `the command was answered ${command.replied} times; ${report}`,
    );
  }

  check(): void {
    const [twice] = this.record.executedTwice(false);
    if (twice !== undefined) this.#checker.report('no command run twice', twice);
    const processes = [...this.#ends].map(([number, endedMs]) => ({ number, endedMs }));
    const [lost] = this.record.lost(processes);
    if (lost !== undefined) this.#checker.report('no acknowledged command lost', lost);
  }

  #send(method: Method, isTwoWay: boolean, timeoutMs: number): SentCommand {
    const expiresMs = this.#time.nowMs + timeoutMs;
    const command = this.record.send({ id: -1, method, isTwoWay, expiresMs });
    const params = { serial: command.serial };
    const { admin } = this.#server.core;
    void admin.sendRpc(GATEWAY.name, { method, params, oneWay: !isTwoWay, timeoutMs }).then((answer) => {
      if (answer.ok && answer.value.status === 'replied') command.replied += 1;
    });
    return command;
  }

  #watch(listener: DeviceListener): DeviceListener {
    const { rpc } = listener;
    if (!rpc) return listener;
    return override<DeviceListener>(listener, {
      rpc: (command) => {
        const { params } = JSON.parse(command.json) as { params: { serial: number } };
        const sent = this.record.sent[params.serial];
        if (sent) {
          sent.id = command.id;
          this.#pushed.set(command.id, sent);
          this.record.onDelivered(sent);
        }
        rpc.call(listener, command);
      },
    });
  }
}

const LAST_INTERVAL_MS = 45_000;
