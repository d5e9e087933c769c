/** A temporary directory with configuration files, and the results and problems of loading one. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SENSOR_NAMES } from '../../src/app/paths.ts';
import { ConfigError, type Problem } from '../../src/config/errors/problem.ts';
import { type LoadedConfig, type LoadRequest, loadConfig } from '../../src/config/load.ts';

export class ConfigFixture implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'firstlight-config-'));
  readonly toml = join(this.directory, 'firstlight.toml');

  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = join(this.directory, name);
    writeFileSync(path, content, { mode });
    return path;
  }

  /** Loads this text as the file, with this environment. */
  load(toml: string | undefined, rest: Partial<LoadRequest> = {}): LoadedConfig {
    if (toml !== undefined) this.write('firstlight.toml', toml);
    return loadConfig({ file: this.toml, fileRequired: true, environment: {}, names: SENSOR_NAMES, ...rest });
  }

  /** The problems of loading it. */
  problems(toml: string | undefined, rest: Partial<LoadRequest> = {}): readonly Problem[] {
    try {
      this.load(toml, rest);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  }

  /** Their sentences, without the directory. */
  sentences(toml: string | undefined, rest: Partial<LoadRequest> = {}): readonly string[] {
    return this.problems(toml, rest).map((each) => each.sentence.replaceAll(`${this.directory}/`, ''));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const SERVER = '[server]\nurl = "coap://thingsboard.example.com"\n';
