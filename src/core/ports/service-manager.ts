/** Port for the service manager (systemd) that started this process. */

/** Whoever started this process and watches over it. Nothing here waits, nothing fails; what is told at once goes together. */
export interface ServiceManager {
  /** So long without a sign of life, ms, and it restarts us; undefined: it does not watch. */
  readonly watchdogMs: number | undefined;
  /** The agent is up, or up again after `reloading`. */
  ready(): void;
  /** What the agent is at; no secret. */
  status(text: string): void;
  alive(): void;
  reloading(): void;
  stopping(): void;
}
