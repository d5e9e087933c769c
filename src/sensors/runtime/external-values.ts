/**
 * Told: what a collector reports and no file of the host says. The rest of the program knows it and is asked here, each time, for
 * what it knows at that moment: nothing in here waits or throws. Figures are read one by one, and a collector reads those only
 * that are wanted: some cost a system call.
 */

/** The agent about itself. What it does not know yet is absent. */
export interface AgentMetrics {
  /** Bytes of memory that are its own or shared, as the kernel counts them. */
  readonly rssBytes: number;
  /** CPU time since it started, user and system, ms. */
  readonly cpuMs: number;
  /** Time since it started in which its event loop was not idle, ms. */
  readonly busyMs: number;
  /** How late the latest of its timers was since this was read last, ms: reading it begins anew. */
  readonly timerLagMs?: number | undefined;
  readonly uptimeMs: number;
  /** Readings that wait for delivery, in memory and on the disk. */
  readonly waitingReadings?: number | undefined;
  /** Readings that will never be delivered, since it started. */
  readonly lostReadings?: number | undefined;
  /** Readings the server accepted, since it started. */
  readonly deliveredReadings?: number | undefined;
  /** Bytes of the disk that readings take, or have taken and keep for the next. */
  readonly spoolBytes?: number | undefined;
  /** Of the last request that was sent once, ms. */
  readonly roundTripMs?: number | undefined;
  /** Starts in this boot before its own. */
  readonly restarts?: number | undefined;
}

/** What other programs of the host know; asked of them now and then, and absent until they have answered. */
export interface ServiceMetrics {
  /** Units of the service manager that are in the state "failed". */
  readonly failedUnits?: number | undefined;
  /** Containers that run, of the engine that may be asked. */
  readonly runningContainers?: number | undefined;
}

/** What the agent knows of the host's clock. */
export interface ClockMetrics {
  /** Set by a time service in this boot, and not stepped since without one. Absent: nobody has asked. */
  readonly isSynchronised?: boolean | undefined;
  /** Time server minus host, of the time service's last exchange, ms. */
  readonly offsetMs?: number | undefined;
}

export interface ExternalValues {
  readonly agent?: (() => AgentMetrics) | undefined;
  readonly services?: (() => ServiceMetrics) | undefined;
  readonly clock?: (() => ClockMetrics) | undefined;
}

export const NO_EXTERNAL_VALUES: ExternalValues = {};
