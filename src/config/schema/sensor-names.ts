/** The names of the built-in sensors and their keys, which app/ passes to the configuration. */

export interface SensorNames {
  readonly sensors: readonly string[];
  /** A `*` stands for a name that is found on the host. */
  readonly keys: readonly string[];
}
