/**
 * One first boot, from a seed: a gateway that has never been on, a server that does not know it, and all
 * faults between them until a given time. Then the boot must end.
 *
 * Promise: within `SETTLE_MS` of virtual time after the end of the faults (and the return of power) the
 * gateway is provisioned and delivers; or it is stranded and logs what the operator must do, and is
 * provisioned after the operator has done that.
 */

import { PowerCutDisk } from '../../doubles/power-cut/power-cut-disk.ts';
import { SeededRandom } from '../seeded-random.ts';
import { Trace } from '../trace.ts';
import { VirtualNetwork } from '../virtual-network.ts';
import { VirtualTime } from '../virtual-time.ts';
import { BootDownlink } from './boot-downlink.ts';
import { Gateway } from './gateway.ts';
import type { BootOptions, Outcome } from './outcome.ts';
import { type Conditions, drawPlan, NO_FAULTS, type Plan } from './plan.ts';
import { PromiseChecker } from './promise-checker.ts';
import { SimulatedServer } from './simulated-server.ts';
import { causeOf } from './stranding-cause.ts';
import { GATEWAY, NEVER_STRANDED, STRATEGIES } from './strategies.ts';

/**
 * The longest back-off of any failure (1 h), one full exchange (247 s), and some minutes for a few requests.
 */
export const SETTLE_MS = 75 * 60_000;

export async function firstBoot(options: BootOptions): Promise<Outcome> {
  const boot = new Boot(options);
  try {
    return await boot.run();
  } finally {
    await boot.dispose();
  }
}

class Boot {
  readonly #options: BootOptions;
  readonly #plan: Plan;
  readonly #time = new VirtualTime();
  readonly #trace: Trace;
  readonly #disk: PowerCutDisk;
  readonly #checker: PromiseChecker;
  readonly #network: VirtualNetwork;
  readonly #server: SimulatedServer;
  readonly #gateway: Gateway;
  readonly #downlink: BootDownlink;
  #provisionedMs: number | undefined;
  #deliveredMs = Number.NEGATIVE_INFINITY;

  constructor(options: BootOptions) {
    this.#options = options;
    const root = new SeededRandom(options.seed);
    const [planRandom, networkRandom, diskRandom, serverRandom, gatewayRandom] = Array.from(
      { length: 5 },
      () => root.fork(),
    ) as [SeededRandom, SeededRandom, SeededRandom, SeededRandom, SeededRandom];
    const time = this.#time;
    const strategy = STRATEGIES[options.strategy];
    this.#plan = drawPlan(planRandom);
    this.#trace = new Trace(() => time.nowMs, options.keepsTrace ?? false);
    this.#disk = new PowerCutDisk(
      {
        after: (ms, action) => time.after(ms, action),
        random: () => diskRandom.random(),
        record: (step) => this.#onDiskStep(step),
      },
      options.plant !== 'no-directory-fsync',
    );
    this.#checker = new PromiseChecker(this.#disk, () => time.nowMs);
    const commonPorts = { time, trace: this.#trace };
    this.#network = new VirtualNetwork({ ...commonPorts, random: networkRandom, observer: this.#checker });
    this.#server = new SimulatedServer(
      { ...commonPorts, random: serverRandom, network: this.#network },
      strategy,
      this.#plan.kindA,
    );
    this.#server.onStored = (body) => this.#onStored(body);
    this.#downlink = new BootDownlink(time, this.#server, this.#checker, this.#plan.downlink !== undefined);
    this.#gateway = new Gateway(
      {
        ...commonPorts,
        random: gatewayRandom,
        disk: this.#disk,
        network: this.#network,
        checker: this.#checker,
        downlink: this.#downlink,
      },
      strategy,
      this.#plan,
      options.plant,
    );
  }

  async run(): Promise<Outcome> {
    const { conditions, restarts, faultsEndMs } = this.#plan;
    const time = this.#time;
    for (const { atMs, conditions: next } of conditions) time.after(atMs, () => this.#setConditions(next));
    for (const { atMs, downMs } of restarts) time.after(atMs, () => this.#server.restart(downMs));
    for (const action of this.#plan.downlink ?? [])
      time.after(action.atMs, () => this.#downlink.perform(action));
    time.after(0, () => this.#gateway.powerOn());
    await time.run(faultsEndMs);
    this.#trace.add('the faults end');
    this.#gateway.endFaults();
    if (this.#plan.downlink) this.#downlink.setLastSettings();
    this.#setConditions(NO_FAULTS);
    const lastRestartMs = Math.max(0, ...restarts.map(({ atMs, downMs }) => atMs + downMs));
    const backMs = Math.max(faultsEndMs, this.#gateway.backMs, lastRestartMs);
    const isDelivering = () => this.#deliveredMs >= backMs;
    await time.run(backMs + SETTLE_MS, isDelivering);
    const isStranded = !isDelivering();
    this.#checkResult(isStranded);
    const cause = isStranded ? causeOf(this.#server, this.#checker) : undefined;
    const devices = this.#server.core.devices().length;
    const provisionedMs = this.#provisionedMs;
    const grantedMs = this.#server.granted?.atMs;
    if (isStranded) await this.#actAsOperator();
    else if (this.#plan.downlink) await this.#downlink.checkAfterFaults(() => this.#gateway.remote);
    this.#downlink.check();
    return {
      seed: this.#options.seed,
      result: isStranded ? 'stranded' : 'provisioned',
      ...(cause !== undefined && { cause }),
      ...(provisionedMs !== undefined && { provisionedMs }),
      ...(provisionedMs !== undefined && grantedMs !== undefined && { exposedMs: provisionedMs - grantedMs }),
      devices,
      starts: this.#gateway.starts,
      requestsSent: this.#checker.requestsSent,
      broken: this.#checker.broken,
      events: this.#trace.events,
      hash: this.#trace.hash,
      trace: this.#trace.lines,
    };
  }

  async dispose(): Promise<void> {
    this.#gateway.dispose();
    this.#server.stop();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #setConditions(conditions: Conditions): void {
    this.#trace.add(
      `conditions: ${conditions.link}${conditions.broken ? ', broken' : ''}${conditions.diskFull ? ', disk full' : ''}`,
    );
    this.#network.conditions = conditions;
    this.#server.setConditions(conditions);
    this.#disk.full = conditions.diskFull;
    this.#disk.stepMsMax = conditions.diskStepMsMax;
  }

  #onStored(body: string): void {
    this.#trace.add('server: telemetry stored');
    if (this.#holdsToken() && body.includes(`"start":${this.#gateway.starts},`)) {
      this.#deliveredMs = this.#time.nowMs;
    }
  }

  #onDiskStep(step: string): void {
    this.#trace.add(step);
    if (this.#provisionedMs === undefined && this.#holdsToken()) this.#provisionedMs = this.#time.nowMs;
  }

  #holdsToken(): boolean {
    const { visible } = this.#disk;
    return visible?.state === 'provisioned' && visible.token.reveal() === this.#server.token;
  }

  #checkResult(isStranded: boolean): void {
    const checker = this.#checker;
    const devices = this.#server.core.devices();
    if (devices.length > 1) checker.report('one device', devices.map(({ name }) => name).join(', '));
    if (isStranded) {
      if (this.#options.strategy === NEVER_STRANDED)
        checker.report('never stranded', `with ${NEVER_STRANDED}`);
      const { log } = this.#gateway;
      if (!log?.events.includes('FL-PROVISIONING-DECLINED')) {
        checker.report(
          'provisioned, or the reason is logged',
          `last log line: ${log?.logged.at(-1)?.message ?? 'none'}`,
        );
      }
      return;
    }
    const { visible } = this.#disk;
    if (!this.#holdsToken())
      checker.report('the stored token is the server’s', visible?.state ?? 'no record');
    if (visible?.deviceName !== GATEWAY.name)
      checker.report('the name is the configured one', visible?.deviceName ?? '');
  }

  /** Does what the remedy of FL-PROVISIONING-DECLINED demands; then the gateway must deliver. */
  async #actAsOperator(): Promise<void> {
    const { admin } = this.#server.core;
    this.#trace.add('the operator acts');
    if (STRATEGIES[this.#options.strategy].profile === 'create') admin.deleteDevice(GATEWAY.name);
    else admin.clearProvisionState(GATEWAY.name);
    const actedMs = this.#time.nowMs;
    await this.#time.run(actedMs + SETTLE_MS, () => this.#deliveredMs >= actedMs);
    if (this.#deliveredMs < actedMs) {
      this.#checker.report('the remedy works', 'not provisioned although the operator followed the remedy');
    }
  }
}
