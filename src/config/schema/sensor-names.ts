/** The names of the sensors and keys of this version, as the configuration checks against them. */

/** What the sensors of this version are called, and what they may deliver. */
export interface SensorNames {
  readonly sensors: readonly string[];
  /** Keys; a `*` stands for a name found on the host. */
  readonly keys: readonly string[];
}
