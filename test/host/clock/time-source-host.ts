/** A host with time sources: timesyncd's file, and scripts in place of timedatectl and perl. */

import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { hostTimeSync, type TimeSyncOptions } from '../../../src/host/clock/time-sync.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { hostOf } from '../host-files.ts';

export class TimeSourceHost {
  readonly root: string;
  readonly log = new RecordingLogger();
  /** The calls in order: each program appends its name and arguments. */
  readonly callsPath: string;
  readonly #directory: string;

  constructor(t: TestContext) {
    this.root = hostOf(t);
    this.#directory = join(this.root, 'run/systemd/timesync');
    this.callsPath = join(this.root, 'calls');
    this.timedatectl('exit 1');
    this.perl('exit 1');
  }

  /** Replaces the program with a shell script. */
  timedatectl(script: string): void {
    this.#program('timedatectl', script);
  }

  perl(script: string): void {
    this.#program('perl', script);
  }

  remove(name: 'timedatectl' | 'perl'): void {
    rmSync(join(this.root, name));
  }

  startTimesyncd(): void {
    mkdirSync(this.#directory, { recursive: true });
  }

  /** Touches the file like timesyncd, `secondsAgo` by the current clock. */
  touch(secondsAgo = 0): void {
    this.startTimesyncd();
    const path = join(this.#directory, 'synchronized');
    writeFileSync(path, '');
    const whenS = Date.now() / 1000 - secondsAgo;
    utimesSync(path, whenS, whenS);
  }

  timeSync(options: Partial<TimeSyncOptions> = {}) {
    const { root, log } = this;
    const commands = { timedatectl: join(root, 'timedatectl'), perl: join(root, 'perl') };
    return hostTimeSync({ root, log, clock: hostClock(), commands, arch: 'x64', ...options });
  }

  #program(name: string, script: string): void {
    const path = join(this.root, name);
    rmSync(path, { force: true });
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> ${this.callsPath}\n${script}\n`);
    chmodSync(path, 0o755);
  }
}
