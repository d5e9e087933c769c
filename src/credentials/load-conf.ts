/**
 * Loads conf and removes its signal listeners.
 *
 * Measured, conf 15.1: its library when-exit kills the process with the signal that it receives, so a SIGTERM would not let the
 * agent finish. Its `exit` listener, which removes temporary files, stays.
 */

import { constants } from 'node:os';
import type ConfClass from 'conf';

export async function loadConf(): Promise<typeof ConfClass> {
  // In a snap conf would write in place and unsynced (its index.js, _write).
  delete process.env['SNAP'];
  const before = new Map(signals().map((name) => [name, new Set(process.rawListeners(name))]));
  const { default: Conf } = await import('conf');
  for (const [name, existing] of before) {
    for (const listener of process.rawListeners(name)) {
      if (!existing.has(listener)) process.removeListener(name, listener as () => void);
    }
  }
  return Conf;
}

function signals(): NodeJS.Signals[] {
  return Object.keys(constants.signals) as NodeJS.Signals[];
}
