/**
 * A gateway for root's part of an update: its disk, its dpkg and its agent, all of whose power can be cut before any of their
 * steps. What `/run` holds, and the process of the agent, end with the power; everything else stays as it is.
 */

import type { AgentHealth, GateObservation } from '../../../src/core/update/health-gate.ts';
import type { AgentService, Dpkg, DpkgResult, InstallationDisk } from '../../../src/update/install/ports.ts';
import { readFailed, readResult, runFilesIn } from '../../../src/update/install/run-files.ts';
import {
  type InstallationPorts,
  type RunEnd,
  runInstallation,
} from '../../../src/update/install/run-installation.ts';
import { BufferSource } from '../../../src/update/update-source.ts';
import type { TestKey } from '../signed-updates.ts';

export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** How a version of the agent behaves. */
export type Behaviour = 'healthy' | 'crashes' | 'hangs' | 'has no credentials' | 'is not accepted';

const OLD = '0.1.0';
const AGENT_FILE = { directory: '/var/lib/firstlight', path: 'update/package' };
export const AGENT_PATH = `${AGENT_FILE.directory}/${AGENT_FILE.path}`;
const FREE_BYTES = 1_000_000_000;

export class UpdateGateway {
  readonly files = runFilesIn('/var/lib/firstlight-update');
  readonly disk = new Map<string, Buffer>();
  readonly log: string[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  /** The names of all steps, in order. */
  readonly steps: string[] = [];
  /** Before which steps the power is cut. */
  readonly cuts: number[];
  /** Free space, by a part of the path; elsewhere there is enough. */
  readonly free = new Map<string, number>();
  /** What was read of the file of the agent. */
  readonly reads: { readonly position: number; readonly length: number }[] = [];
  /** Why dpkg fails, per version, and how often; default: always. */
  readonly dpkgProblems = new Map<string, string>();
  readonly dpkgFailures = new Map<string, number>();
  /** Called at each observation of the gate, with its number. */
  onObserve: (count: number) => void = () => {};
  watchdogMs = 180_000;
  isPathStopped = false;
  /** How long the status file shows less than a process that has just started has. */
  statusLagMs = 0;
  isLockedTimes = 0;
  package = { version: OLD, isWhole: true };
  /** What would run if the agent started. */
  program = OLD;
  isRequested = true;
  /** The id of the request; a power cut does not change it. */
  request: string | undefined = 'request-1';
  repacked = 0;
  nowMs = 0;
  #observed = 0;
  #process = 1;
  #processSinceMs = 0;
  #running = OLD;
  #key: TestKey;

  constructor(key: TestKey, update: Buffer, cuts: readonly number[] = []) {
    this.#key = key;
    this.cuts = [...cuts];
    this.disk.set(AGENT_PATH, update);
  }

  get running(): string {
    return this.#running;
  }

  get result() {
    return readResult(this.#disk, this.files);
  }

  get failed() {
    return readFailed(this.#disk, this.files);
  }

  /** Runs root's part, with a new boot after each power cut, until nothing is left to do. */
  async settle(): Promise<void> {
    const { state, incoming } = this.files;
    while (this.isRequested || this.disk.has(state) || this.disk.has(incoming)) {
      try {
        const end = await this.run();
        if (end.is === 'postponed') return;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.#boot();
      }
    }
  }

  async run(signal = new AbortController().signal): Promise<RunEnd> {
    return runInstallation(this.ports, signal);
  }

  get ports(): InstallationPorts {
    return {
      disk: this.#disk,
      dpkg: this.#dpkg,
      service: this.#service,
      files: this.files,
      agentFile: AGENT_FILE,
      trustedKeys: () => ({ keys: this.#key.trusted, problems: [] }),
      takeRequest: () => {
        if (!this.isRequested) return undefined;
        this.#step('take request');
        this.isRequested = false;
        return { id: this.request };
      },
      clock: { monotonicMs: () => this.nowMs, sleep: (ms) => this.#sleep(ms) },
      report: (_level, sentence) => void this.log.push(sentence),
    };
  }

  async #sleep(ms: number): Promise<void> {
    this.nowMs += ms;
  }

  #step(name: string): void {
    this.steps.push(name);
    if (this.cuts[0] !== this.steps.length) return;
    this.cuts.shift();
    throw new PowerCut();
  }

  #boot(): void {
    this.#start();
    // The agent requests again what has no result.
    this.isRequested = this.result?.request !== this.request;
    this.isPathStopped = false;
  }

  #start(): void {
    this.#process += 1;
    this.#processSinceMs = this.nowMs;
    this.#running = this.program;
  }

  boot(): void {
    this.#boot();
  }

  readonly #disk: InstallationDisk = {
    size: (path) => this.disk.get(path)?.length,
    openBeneath: (directory, path) => {
      const source = this.#disk.open(`${directory}/${path}`);
      return {
        bytes: source.bytes,
        read: (position, length) => {
          this.reads.push({ position, length });
          return source.read(position, length);
        },
        [Symbol.dispose]: () => {},
      };
    },
    open: (path) => {
      const content = this.disk.get(path);
      if (!content) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
      const source = new BufferSource(content);
      return {
        bytes: source.bytes,
        read: (at, length) => source.read(at, length),
        [Symbol.dispose]: () => {},
      };
    },
    readText: (path, bytesMax) => {
      const content = this.disk.get(path);
      return content && content.length <= bytesMax ? content.toString() : undefined;
    },
    create: async (path, fill) => {
      const written: Buffer[] = [];
      await fill((bytes) => {
        this.#step(`write ${path}`);
        written.push(Buffer.from(bytes));
      });
      this.#step(`create ${path}`);
      this.disk.set(path, Buffer.concat(written));
    },
    replaceText: (path, text) => {
      this.#step(`replace ${path}`);
      this.disk.set(path, Buffer.from(text));
    },
    rename: (from, to) => {
      this.#step(`rename ${to}`);
      const content = this.disk.get(from);
      if (!content) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
      this.disk.delete(from);
      this.disk.set(to, content);
    },
    remove: (path) => {
      if (!this.disk.has(path)) return;
      this.#step(`remove ${path}`);
      this.disk.delete(path);
    },
    freeBytes: (path) => this.free.get(path) ?? FREE_BYTES,
  };

  #versionOf(deb: string): string {
    return /^package (\S+)$/.exec(this.disk.get(deb)?.toString() ?? '')?.[1] ?? '';
  }

  readonly #dpkg: Dpkg = {
    architecture: async () => 'arm64',
    installedVersion: async () => (this.package.isWhole ? this.package.version : undefined),
    fields: async (deb) => {
      const version = this.#versionOf(deb);
      return version === '' ? undefined : { package: 'firstlight', version, architecture: 'all' };
    },
    canGoBack: async () => true,
    install: async (deb): Promise<DpkgResult> => {
      if (this.isLockedTimes > 0) {
        this.isLockedTimes -= 1;
        return { ok: false, problem: 'locked', isLocked: true };
      }
      const version = this.#versionOf(deb);
      this.#step(`unpack ${version}`);
      this.package = { version, isWhole: false };
      const problem = this.dpkgProblems.get(version);
      const failures = this.dpkgFailures.get(version) ?? Number.POSITIVE_INFINITY;
      this.dpkgFailures.set(version, failures - 1);
      if (problem !== undefined && failures > 0) return { ok: false, problem };
      this.#step(`replace the program by ${version}`);
      this.program = version;
      this.#step(`configure ${version}`);
      this.package = { version, isWhole: true };
      return { ok: true };
    },
    configure: async () => this.#step('configure what is pending'),
    repack: async (deb) => {
      this.repacked += 1;
      this.#step('repack');
      this.disk.set(deb, Buffer.from(`package ${this.package.version}`));
      return { ok: true };
    },
  };

  #behaviour(): Behaviour {
    return this.behaviours.get(this.#running) ?? 'healthy';
  }

  readonly #service: AgentService = {
    observe: async (): Promise<GateObservation> => {
      this.#step('observe');
      this.onObserve(++this.#observed);
      const behaviour = this.#behaviour();
      const ageMs = this.nowMs - this.#processSinceMs;
      if (behaviour === 'crashes')
        return {
          agent: { hasCredentials: false, isAccepted: false },
          activeState: 'activating',
          mainPid: 0,
          restarts: Math.floor(ageMs / 5_000),
        };
      if (behaviour === 'hangs')
        return { agent: this.#health(), activeState: 'activating', mainPid: this.#process, restarts: 0 };
      return { agent: this.#health(), activeState: 'active', mainPid: this.#process, restarts: 0 };
    },
    watchdogMs: async () => this.watchdogMs,
    stopPath: async () => {
      this.isPathStopped = true;
    },
    restart: async () => {
      this.#step('restart');
      this.#start();
    },
  };

  #health(): AgentHealth {
    const behaviour = this.#behaviour();
    const isPublished = this.nowMs - this.#processSinceMs >= this.statusLagMs;
    return {
      process: `process ${this.#process}`,
      pid: this.#process,
      hasCredentials: behaviour !== 'has no credentials' && isPublished,
      isAccepted: behaviour !== 'is not accepted' && isPublished,
    };
  }
}
