/**
 * One first boot, from a seed: a gateway that has never been on, a server that has never seen it, and everything that can
 * go wrong between them until all is healed. Then the boot must end.
 *
 * The promise asked for: within `SETTLE_MS` of virtual time after the faults are healed (and the power is back), the gateway
 * is provisioned and delivers; or it is stranded and says what the operator must do, and when he does it, it is provisioned.
 */

import { FAILURE_POLICIES } from '../../../src/core/failures/policies.ts';
import { PowerCutDisk } from '../../doubles/power-cut-disk.ts';
import { SeededRandom } from '../seeded-random.ts';
import { Trace } from '../trace.ts';
import { VirtualNetwork } from '../virtual-network.ts';
import { VirtualTime } from '../virtual-time.ts';
import { Gateway } from './gateway.ts';
import type { BootOptions, Outcome } from './outcome.ts';
import { drawPlan, NO_FAULTS, type Plan, type Weather } from './plan.ts';
import { PromiseChecker } from './promise-checker.ts';
import { SimulatedServer } from './simulated-server.ts';
import { causeOf } from './stranding.ts';
import { GATEWAY, NEVER_STRANDED, STRATEGIES } from './strategies.ts';

/** The longest wait of any refusal (1 h), one exchange with patience (247 s), and some minutes for a few requests. */
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
  #provisionedMs: number | undefined;
  #deliveredMs = Number.NEGATIVE_INFINITY;

  constructor(options: BootOptions) {
    this.#options = options;
    const root = new SeededRandom(options.seed);
    const [plans, roads, disks, servers, gateways] = Array.from({ length: 5 }, () => root.fork()) as [
      SeededRandom,
      SeededRandom,
      SeededRandom,
      SeededRandom,
      SeededRandom,
    ];
    const time = this.#time;
    const strategy = STRATEGIES[options.strategy];
    this.#plan = drawPlan(plans);
    this.#trace = new Trace(() => time.nowMs, options.keepsTrace ?? false);
    this.#disk = new PowerCutDisk(
      {
        after: (ms, action) => time.after(ms, action),
        random: () => disks.random(),
        record: (step) => this.#noted(step),
      },
      options.plant !== 'no-directory-fsync',
    );
    this.#checker = new PromiseChecker(this.#disk, () => time.nowMs);
    const shared = { time, trace: this.#trace };
    this.#network = new VirtualNetwork({ ...shared, rng: roads, observer: this.#checker });
    this.#server = new SimulatedServer(
      { ...shared, rng: servers, virtualNetwork: this.#network },
      strategy,
      this.#plan.kindA,
    );
    this.#server.stored = (body) => this.#stored(body);
    this.#gateway = new Gateway(
      { ...shared, rng: gateways, disk: this.#disk, network: this.#network, checker: this.#checker },
      strategy,
      this.#plan,
      options.plant,
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
    this.#setWeather(NO_FAULTS);
    const lastRestartMs = Math.max(0, ...restarts.map(({ atMs, downMs }) => atMs + downMs));
    const backMs = Math.max(healMs, this.#gateway.backMs, lastRestartMs);
    const isDelivering = () => this.#deliveredMs >= backMs;
    await time.run(backMs + SETTLE_MS, isDelivering);
    const isStranded = !isDelivering();
    this.#judge(isStranded);
    const cause = isStranded ? causeOf(this.#server, this.#checker) : undefined;
    const devices = this.#server.core.devices().length;
    const provisionedMs = this.#provisionedMs;
    const grantedMs = this.#server.granted?.atMs;
    if (isStranded) await this.#operator();
    return {
      seed: this.#options.seed,
      result: isStranded ? 'stranded' : 'provisioned',
      ...(cause !== undefined && { cause }),
      ...(provisionedMs !== undefined && { provisionedMs }),
      ...(provisionedMs !== undefined && grantedMs !== undefined && { exposedMs: provisionedMs - grantedMs }),
      devices,
      lives: this.#gateway.lives,
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
    const checker = this.#checker;
    const devices = this.#server.core.devices();
    if (devices.length > 1) checker.report('one device', devices.map(({ name }) => name).join(', '));
    if (isStranded) {
      if (this.#options.strategy === NEVER_STRANDED)
        checker.report('never stranded', `with ${NEVER_STRANDED}`);
      const sentences = this.#gateway.log?.logged.map(({ message }) => message) ?? [];
      if (!sentences.includes(FAILURE_POLICIES['provisioning-declined'].sentence)) {
        checker.report('provisioned, or told why not', `last told: ${sentences.at(-1) ?? 'nothing'}`);
      }
      return;
    }
    const { visible } = this.#disk;
    if (!this.#holdsToken()) checker.report('the token held is the server’s', visible?.state ?? 'no record');
    if (visible?.deviceName !== GATEWAY.name)
      checker.report('the name is the configured one', visible?.deviceName ?? '');
  }

  /** Does what the sentence says; then the boot must end. */
  async #operator(): Promise<void> {
    const { admin } = this.#server.core;
    this.#trace.add('the operator helps');
    if (STRATEGIES[this.#options.strategy].profile === 'create') admin.deleteDevice(GATEWAY.name);
    else admin.clearProvisionState(GATEWAY.name);
    const helpedMs = this.#time.nowMs;
    await this.#time.run(helpedMs + SETTLE_MS, () => this.#deliveredMs >= helpedMs);
    if (this.#deliveredMs < helpedMs) {
      this.#checker.report(
        'the operator’s sentence heals',
        'not provisioned though the operator did as told',
      );
    }
  }
}
