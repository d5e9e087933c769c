/** Ports for the host: its sensors and the facts about it. */

import type { Values } from '../model/reading.ts';

/** The host's sensors. Never rejects for a sensor's sake: what cannot be read is absent. */
export interface Sensors {
  sample(): Promise<Values>;
}

/** Facts about the host that change rarely, gathered once per start and posted as client attributes. */
export interface HostFacts {
  gather(signal: AbortSignal): Promise<Values>;
}
