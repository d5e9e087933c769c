/**
 * One first boot, from a seed: a gateway that has never been on, a server that has never seen it, and everything that can
 * go wrong between them until all is healed. Then the boot must end.
 *
 * The promise asked for: within `SETTLE_MS` of virtual time after the faults are healed (and the power is back), the gateway
 * is provisioned and delivers; or it is stranded and says what the operator must do, and when he does it, it is provisioned.
 */

import { VERDICTS } from '../../../src/core/failures/policies.ts';
import { PowerCutDisk } from '../../doubles/power-cut-disk.ts';
import { Dice } from '../seeded-random.ts';
import { Trace } from '../trace.ts';
import { VirtualNetwork } from '../virtual-network.ts';
import { VirtualTime } from '../virtual-time.ts';
import { Gateway } from './gateway.ts';
import type { BootWish, Outcome } from './outcome.ts';
import { CALM, drawPlan, type Plan, type Weather } from './plan.ts';
import { Witness } from './promise-checker.ts';
import { SimulatedServer } from './simulated-server.ts';
import { causeOf } from './stranding.ts';
import { GATEWAY, NEVER_STRANDED, STRATEGIES } from './strategies.ts';

/** The longest wait of any refusal (1 h), one exchange with patience (247 s), and some minutes for a few requests. */
export const SETTLE_MS = 75 * 60_000;

export async function firstBoot(wish: BootWish): Promise<Outcome> {
  const boot = new Boot(wish);
  try {
    return await boot.run();
  } finally {
    await boot.dispose();
  }
}

class Boot {
  readonly #wish: BootWish;
  readonly #plan: Plan;
  readonly #time = new VirtualTime();
  readonly #trace: Trace;
  readonly #disk: PowerCutDisk;
  readonly #witness: Witness;
  readonly #network: VirtualNetwork;
  readonly #server: SimulatedServer;
  readonly #gateway: Gateway;
  #provisionedMs: number | undefined;
  #deliveredMs = Number.NEGATIVE_INFINITY;

  constructor(wish: BootWish) {
    this.#wish = wish;
    const root = new Dice(wish.seed);
    const [plans, roads, disks, servers, gateways] = Array.from({ length: 5 }, () => root.fork()) as [
      Dice,
      Dice,
      Dice,
      Dice,
      Dice,
    ];
    const time = this.#time;
    const strategy = STRATEGIES[wish.strategy];
    this.#plan = drawPlan(plans);
    this.#trace = new Trace(() => time.nowMs, wish.keepsTrace ?? false);
    this.#disk = new PowerCutDisk(
      {
        after: (ms, action) => time.after(ms, action),
        random: () => disks.random(),
        note: (step) => this.#noted(step),
      },
      wish.plant !== 'no-directory-fsync',
    );
    this.#witness = new Witness(this.#disk, () => time.nowMs);
    const shared = { time, trace: this.#trace };
    this.#network = new VirtualNetwork({ ...shared, dice: roads, observer: this.#witness });
    this.#server = new SimulatedServer(
      { ...shared, dice: servers, network: this.#network },
      strategy,
      this.#plan.kindA,
    );
    this.#server.stored = (body) => this.#stored(body);
    this.#gateway = new Gateway(
      { ...shared, dice: gateways, disk: this.#disk, network: this.#network, witness: this.#witness },
      strategy,
      this.#plan,
      wish.plant,
    );
  }

  async run(): Promise<Outcome> {
    const { weather, restarts, healMs } = this.#plan;
    const time = this.#time;
    for (const { atMs, weather: next } of weather) time.after(atMs, () => this.#setWeather(next));
    for (const { atMs, downMs } of restarts) time.after(atMs, () => this.#server.restart(downMs));
    time.after(0, () => this.#gateway.powerOn());
    await time.run(healMs);
    this.#trace.add('healed');
    this.#gateway.heal();
    this.#setWeather(CALM);
    const lastRestartMs = Math.max(0, ...restarts.map(({ atMs, downMs }) => atMs + downMs));
    const backMs = Math.max(healMs, this.#gateway.backMs, lastRestartMs);
    const isDelivering = () => this.#deliveredMs >= backMs;
    await time.run(backMs + SETTLE_MS, isDelivering);
    const isStranded = !isDelivering();
    this.#judge(isStranded);
    const cause = isStranded ? causeOf(this.#server, this.#witness) : undefined;
    const devices = this.#server.core.devices().length;
    const provisionedMs = this.#provisionedMs;
    const grantedMs = this.#server.granted?.atMs;
    if (isStranded) await this.#operator();
    return {
      seed: this.#wish.seed,
      verdict: isStranded ? 'stranded' : 'provisioned',
      ...(cause !== undefined && { cause }),
      ...(provisionedMs !== undefined && { provisionedMs }),
      ...(provisionedMs !== undefined && grantedMs !== undefined && { exposedMs: provisionedMs - grantedMs }),
      devices,
      lives: this.#gateway.lives,
      asked: this.#witness.asked,
      broken: this.#witness.broken,
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

  #setWeather(weather: Weather): void {
    this.#trace.add(
      `weather: ${weather.link}${weather.broken ? ', broken' : ''}${weather.diskFull ? ', disk full' : ''}`,
    );
    this.#network.weather = weather;
    this.#server.setWeather(weather);
    this.#disk.full = weather.diskFull;
    this.#disk.stepMsMax = weather.diskStepMsMax;
  }

  #stored(body: string): void {
    this.#trace.add('server: telemetry stored');
    if (this.#holdsToken() && body.includes(`"life":${this.#gateway.lives},`)) {
      this.#deliveredMs = this.#time.nowMs;
    }
  }

  #noted(step: string): void {
    this.#trace.add(step);
    if (this.#provisionedMs === undefined && this.#holdsToken()) this.#provisionedMs = this.#time.nowMs;
  }

  #holdsToken(): boolean {
    const { visible } = this.#disk;
    return visible?.state === 'provisioned' && visible.token.reveal() === this.#server.token;
  }

  #judge(isStranded: boolean): void {
    const witness = this.#witness;
    const devices = this.#server.core.devices();
    if (devices.length > 1) witness.tell('one device', devices.map(({ name }) => name).join(', '));
    if (isStranded) {
      if (this.#wish.strategy === NEVER_STRANDED) witness.tell('never stranded', `with ${NEVER_STRANDED}`);
      const sentences = this.#gateway.log?.told.map(({ message }) => message) ?? [];
      if (!sentences.includes(VERDICTS.declined.sentence)) {
        witness.tell('provisioned, or told why not', `last told: ${sentences.at(-1) ?? 'nothing'}`);
      }
      return;
    }
    const { visible } = this.#disk;
    if (!this.#holdsToken()) witness.tell('the token held is the server’s', visible?.state ?? 'no record');
    if (visible?.deviceName !== GATEWAY.name)
      witness.tell('the name is the configured one', visible?.deviceName ?? '');
  }

  /** Does what the sentence says; then the boot must end. */
  async #operator(): Promise<void> {
    const { admin } = this.#server.core;
    this.#trace.add('the operator helps');
    if (STRATEGIES[this.#wish.strategy].profile === 'create') admin.deleteDevice(GATEWAY.name);
    else admin.clearProvisionState(GATEWAY.name);
    const helpedMs = this.#time.nowMs;
    await this.#time.run(helpedMs + SETTLE_MS, () => this.#deliveredMs >= helpedMs);
    if (this.#deliveredMs < helpedMs) {
      this.#witness.tell('the operator’s sentence heals', 'not provisioned though the operator did as told');
    }
  }
}
