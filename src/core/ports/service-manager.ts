/** Port for the service manager (systemd) that started this process. */

/** No method waits or fails; notifications of one turn are sent together. */
export interface ServiceManager {
  /** Without `alive` for this time, ms, the service manager restarts the agent; undefined: no watchdog. */
  readonly watchdogMs: number | undefined;
  /** The agent is ready, or ready again after `reloading`. */
  ready(): void;
  /** The status line, without secrets. */
  status(text: string): void;
  alive(): void;
  reloading(): void;
  stopping(): void;
}
