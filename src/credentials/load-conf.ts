/**
 * Loads conf, and takes back what it does to the process.
 *
 * Measured, conf 15.1: its file writer brings a library (when-exit) that listens for every ending signal and
 * then kills the process with the same signal, so that a SIGTERM would never let the agent finish. Its
 * listeners for signals are removed as soon as they appear; the one for `exit`, which sweeps temporary files,
 * stays.
 */

import { constants } from 'node:os';
import type ConfClass from 'conf';

export async function loadConf(): Promise<typeof ConfClass> {
  // Inside a snap conf would write in place, unsynced and torn by a power cut (its index.js, _write).
  delete process.env['SNAP'];
  const before = new Map(signals().map((name) => [name, new Set(process.rawListeners(name))]));
  const { default: Conf } = await import('conf');
  for (const [name, ours] of before) {
    for (const listener of process.rawListeners(name)) {
      if (!ours.has(listener)) process.removeListener(name, listener as () => void);
    }
  }
  return Conf;
}

function signals(): NodeJS.Signals[] {
  return Object.keys(constants.signals) as NodeJS.Signals[];
}
