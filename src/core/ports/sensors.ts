/** Ports for the host: its sensors and the facts about it. */

import type { Values } from '../model/reading.ts';

/** The sensors of the host. A value that cannot be read is absent. */
export interface Sensors {
  sample(): Promise<Values>;
}

/** Facts about the host that rarely change, collected once per start and posted as client attributes. */
export interface HostFacts {
  gather(signal: AbortSignal): Promise<Values>;
}
