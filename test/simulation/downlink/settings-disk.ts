/**
 * The file of the server's settings on a simulated disk: it outlives processes, and a power cut leaves the old or the new text of a
 * rename that is not durable yet. Each step is an act, at which the process may die.
 */

import type { RemoteSettingsFile } from '../../../src/app/remote/settings-file.ts';
import { StoreError } from '../../../src/credentials/store-error.ts';

export interface SettingsDiskPorts {
  /** Runs `effect` after a random time. */
  readonly after: (effect: () => void) => void;
  /** Runs `effect` unless the process is dead; may end the process before or after it. */
  readonly act: (effect: () => void) => void;
  /** Whether the disk fails now. */
  readonly fails: () => boolean;
  /** A text was written that is there already. */
  readonly onUselessWrite: () => void;
}

export class SettingsDisk {
  /** What a process reads now. */
  text: string | undefined;
  writes = 0;
  #durable: string | undefined;

  /** `isKept` decides whether a rename that is not durable survives. */
  cutPower(isKept: () => boolean): void {
    if (this.text !== this.#durable && !isKept()) this.text = this.#durable;
    this.#durable = this.text;
  }

  /** The file as one process sees it. */
  open({ after, act, fails, onUselessWrite }: SettingsDiskPorts): RemoteSettingsFile {
    const step = (effect: () => void) =>
      new Promise<void>((resolve, reject) => {
        after(() =>
          act(() => {
            if (fails()) return reject(new StoreError('the simulated disk fails'));
            effect();
            resolve();
          }),
        );
      });
    return {
      write: async (text) => {
        if (text === this.text && text === this.#durable) onUselessWrite();
        await step(() => {
          this.writes += 1;
        });
        await step(() => {
          this.text = text;
        });
        await step(() => {
          this.#durable = text;
        });
      },
      tidy: async () => undefined,
    };
  }
}
