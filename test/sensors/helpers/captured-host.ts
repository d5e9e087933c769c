/**
 * A captured host to sample: a private copy of one of test/fixtures/hosts, which a test may damage. Time is
 * virtual: `sampleAfter` advances it first. The sensors' log is kept as lines to compare.
 */

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import type { LogFields, Logger } from '../../../src/core/ports/log.ts';
import { openSensors } from '../../../src/sensors/sampler.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { hostDirectory } from '../../host-directory.ts';

export type HostName =
  | 'x86-vm'
  | 'x86-gateway'
  | 'raspberry-pi-4'
  | 'raspberry-pi-zero-2w'
  | 'emmc-board'
  | 'container';

/** A private copy of a captured host, removed after the test. */
export function copyHost(host: HostName, t: TestContext, below?: string): string {
  const root = hostDirectory(t, below);
  cpSync(join(process.cwd(), 'test/fixtures/hosts', host), root, {
    recursive: true,
    verbatimSymlinks: true,
  });
  return root;
}

export class RecordingSensorLogger implements Logger {
  readonly lines: string[] = [];
  debug(message: string, fields?: LogFields): void {
    this.#record('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#record('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#record('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#record('error', message, fields);
  }
  #record(level: string, message: string, fields?: LogFields): void {
    this.lines.push(`${level} ${fields?.['sensor'] ?? message}`);
  }
}

export class CapturedHost {
  readonly root: string;
  readonly clock = new VirtualClock();
  readonly logger = new RecordingSensorLogger();
  readonly #sensors;

  /** `below`: where its directory is made; by default in memory. */
  constructor(host: HostName, t: TestContext, below?: string) {
    this.root = copyHost(host, t, below);
    this.#sensors = openSensors({ root: this.root, clock: this.clock, log: this.logger });
  }

  async sampleAfter(ms: number): Promise<Values> {
    await this.clock.advance(ms);
    return this.#sensors.sample();
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'latin1');
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  edit(path: string, from: string | RegExp, to: string | ((...parts: string[]) => string)): void {
    const original = this.read(path);
    const edited = original.replace(from, (...parts) => (typeof to === 'string' ? to : to(...parts)));
    if (edited === original) throw new Error(`nothing to replace in ${path}`);
    this.write(path, edited);
  }
}
