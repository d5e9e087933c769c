/**
 * Everything of the downlink in the weeks of one gateway that outlives its processes: the server's part, the file of the settings,
 * the started commands of each boot, and what is checked about them.
 */

import type { StartedCommand, StartedCommandStore } from '../../../../src/core/downlink/command-history.ts';
import { TRIAL_MS } from '../../../../src/core/downlink/settings-trial.ts';
import type { PowerCutDirectory } from '../../../doubles/power-cut/power-cut-directory.ts';
import { CommandRecord, type SentCommand } from '../../downlink/command-record.ts';
import { isCuttingOff } from '../../downlink/cut-off-transport.ts';
import { type DownlinkAction, LAST_SETTINGS } from '../../downlink/draw-downlink.ts';
import type { RemoteGateway } from '../../downlink/remote-gateway.ts';
import { SettingsDisk, type SettingsDiskPorts } from '../../downlink/settings-disk.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { AgentRecord, Ledger } from '../checks/ledger.ts';
import { MINUTE } from '../plan/week-plan.ts';
import { DownlinkServer } from './downlink-server.ts';

/** After the end of a trial, until the loops have stopped, ms. */
const TAKE_BACK_MS = MINUTE;
/** Settings that have counted for so long without a trial are on the disk, ms. */
const STORED_MS = 2 * MINUTE;

export class DownlinkWorld {
  readonly record: CommandRecord;
  readonly server: DownlinkServer;
  readonly disk = new SettingsDisk();
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #ledger: Ledger;
  readonly #started = new Map<string, readonly StartedCommand[]>();
  /** What counted without a trial, since when, and the process. */
  #settled: { readonly text: string; readonly sinceMs: number; untilMs: number } | undefined;
  #lastCommand: SentCommand | undefined;

  constructor(time: VirtualTime, random: SeededRandom, ledger: Ledger) {
    this.#time = time;
    this.#random = random.fork();
    this.#ledger = ledger;
    this.record = new CommandRecord(() => time.nowMs);
    this.server = new DownlinkServer(this.record, () => time.nowMs, random.fork());
  }

  perform(action: DownlinkAction): void {
    this.#ledger.trace(() => `operator: ${JSON.stringify(action).slice(0, 160)}`);
    if (action.is === 'set') this.server.set(action.values);
    else if (action.is === 'delete') this.server.delete(action.key);
    else this.server.send(action.method, action.isTwoWay);
  }

  /** The last settings and the last command, which must work. */
  endFaults(): void {
    this.server.set(LAST_SETTINGS);
    this.#lastCommand = this.server.send('read', true, Number.POSITIVE_INFINITY);
  }

  isSettled(gateway: RemoteGateway | undefined): boolean {
    if (!gateway || gateway.remote.isOnTrial || (this.#lastCommand?.replied ?? 0) === 0) return false;
    const { endpoints } = gateway.current.config.server;
    return (
      this.server.applied['telemetryInterval'] === LAST_SETTINGS.telemetryInterval &&
      !endpoints.every(({ url }) => isCuttingOff(url))
    );
  }

  startedCommands(bootId: string): StartedCommandStore {
    return {
      load: () => this.#started.get(bootId) ?? [],
      save: (commands) => this.#started.set(bootId, commands),
    };
  }

  diskPorts(disk: PowerCutDirectory, stepMsMax: number, act: SettingsDiskPorts['act']): SettingsDiskPorts {
    return {
      act,
      after: (effect) => this.#time.after(this.#random.random() * stepMsMax, effect),
      fails: () => disk.readOnly || disk.capacityBytes === 0 || disk.broken.write || disk.broken.sync,
      onUselessWrite: () =>
        this.#ledger.reportViolation('no settings write without a change', 'the same text again'),
    };
  }

  /** A process has loaded its settings. */
  onStart(gateway: RemoteGateway, agent: AgentRecord): void {
    const text = appliedBy(gateway);
    const { url } = gateway.current.config.server.endpoints[0];
    this.#ledger.trace(() => `settings at the start: ${text}`);
    if (gateway.current.config.server.endpoints.every((each) => isCuttingOff(each.url)))
      this.#ledger.reportViolation(
        'no setting that cuts off stays',
        `process ${agent.number} starts with ${url}`,
      );
    const settled = this.#settled;
    if (settled && settled.text !== text && settled.untilMs - settled.sinceMs >= STORED_MS)
      this.#ledger.reportViolation('confirmed settings survive', `${text} instead of ${settled.text}`);
    this.#settled = undefined;
  }

  /** Observes a process while it takes readings. */
  onSample(gateway: RemoteGateway | undefined): void {
    const nowMs = this.#time.nowMs;
    const text = gateway && !gateway.remote.isOnTrial ? appliedBy(gateway) : undefined;
    const hasDiskFault = this.#ledger.diskFaults.some(({ toMs }) => toMs >= nowMs - DISK_RETRY_MS);
    if (text === undefined || hasDiskFault) this.#settled = undefined;
    else if (this.#settled?.text === text) this.#settled.untilMs = nowMs;
    else this.#settled = { text, sinceMs: nowMs, untilMs: nowMs };
  }

  /** Loops start with a list of URLs; call the returned function when they have ended. */
  onInstance(urls: readonly string[], agent: AgentRecord): () => void {
    this.#ledger.trace(() => `loops with ${urls.join()}`);
    if (!urls.every(isCuttingOff)) return () => {};
    return this.#time.after(TRIAL_MS + TAKE_BACK_MS, () => {
      if (agent.diedMs !== undefined || agent.stoppedMs !== undefined) return;
      this.#ledger.reportViolation(
        'no setting that cuts off stays',
        `process ${agent.number} keeps ${urls.join()}`,
      );
    });
  }

  check(hasRuntimeDirectory: boolean): void {
    const ledger = this.#ledger;
    for (const detail of this.record.executedTwice(hasRuntimeDirectory))
      ledger.reportViolation('no command run twice', detail);
    const processes = ledger.agents.map(({ number, stoppedMs, diedMs }) => ({
      number,
      endedMs: stoppedMs ?? diedMs,
    }));
    for (const detail of this.record.lost(processes))
      ledger.reportViolation('no acknowledged command lost', detail);
  }
}

/** A failed write is repeated after ten minutes. */
const DISK_RETRY_MS = 15 * MINUTE;

function appliedBy({ remote }: RemoteGateway): string {
  return String(remote.report.values['configApplied']);
}
