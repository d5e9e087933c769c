/** `firstlight thingsboard` in this process, with its output, against the strict double. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  type RemoveOptions,
  removeFromThingsboard,
  type SetupCommandOptions,
  setupThingsboard,
} from '../../../src/cli/thingsboard/command.ts';
import type { CommandPorts } from '../../../src/cli/thingsboard/connect.ts';
import { ADMIN, type RestDouble } from '../../thingsboard/double/rest-double.ts';

export interface Output {
  readonly code: number;
  readonly text: string;
}

export class CommandHarness implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'firstlight-thingsboard-'));
  /** What the operator types; undefined: input is no terminal. */
  typed: string | undefined;
  environment: NodeJS.ProcessEnv = {};
  readonly stop = new AbortController();

  /** Writes a file and returns its path. */
  file(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  /** The options of an administrator of the double. */
  login({ url }: Pick<RestDouble, 'url'>, password = ADMIN.password) {
    return { url, user: ADMIN.name, passwordFile: this.file('password', `${password}\n`) };
  }

  setup(options: SetupCommandOptions): Promise<Output> {
    return this.#run((ports) => setupThingsboard(options, ports));
  }

  remove(options: RemoveOptions): Promise<Output> {
    return this.#run((ports) => removeFromThingsboard(options, ports));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #run(command: (ports: CommandPorts) => Promise<number>): Promise<Output> {
    let text = '';
    const out = new PassThrough();
    out.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const input = Object.assign(new PassThrough(), {
      isTTY: this.typed !== undefined,
      setRawMode: () => input,
    });
    if (this.typed !== undefined) input.write(this.typed);
    const { environment, stop } = this;
    const ports = { environment, input, out, signal: stop.signal } as unknown as CommandPorts;
    const code = await command(ports);
    return { code, text };
  }
}
