/**
 * Values that the program supplies because no file of the host has them: the agent itself, systemd,
 * containers, the clock. The functions neither wait nor throw. A collector reads only the selected figures,
 * because some cost a system call.
 */

/** The agent's own figures. A figure that is not known yet is absent. */
export interface AgentMetrics {
  /** Resident memory, private and shared. */
  readonly rssBytes: number;
  /** CPU time since the start, user and system. */
  readonly cpuMs: number;
  /** Time since the start in which the event loop was not idle. */
  readonly busyMs: number;
  /** The largest delay of a timer since the last read; reading resets it. */
  readonly timerLagMs?: number | undefined;
  readonly uptimeMs: number;
  /** Readings waiting for delivery, in memory and on disk. */
  readonly waitingReadings?: number | undefined;
  /** Readings lost since the start. */
  readonly lostReadings?: number | undefined;
  /** Readings the server accepted since the start. */
  readonly deliveredReadings?: number | undefined;
  /** Disk space of the spool, including space kept for the next readings. */
  readonly spoolBytes?: number | undefined;
  /** Of the latest request that was sent only once. */
  readonly roundTripMs?: number | undefined;
  /** Earlier starts in this boot. */
  readonly restarts?: number | undefined;
}

/** Figures of other programs, polled at intervals; absent until they have responded. */
export interface ServiceMetrics {
  /** systemd units in the state "failed". */
  readonly failedUnits?: number | undefined;
  /** Running containers of the engine whose socket the agent can open. */
  readonly runningContainers?: number | undefined;
}

/** The state of the host's clock. */
export interface ClockMetrics {
  /** A time service has set the clock in this boot, and no other step has followed. Absent: not checked. */
  readonly isSynchronised?: boolean | undefined;
  /** Server time minus host time, at the last exchange of the time service. */
  readonly offsetMs?: number | undefined;
}

export interface ExternalValues {
  readonly agent?: (() => AgentMetrics) | undefined;
  readonly services?: (() => ServiceMetrics) | undefined;
  readonly clock?: (() => ClockMetrics) | undefined;
}

export const NO_EXTERNAL_VALUES: ExternalValues = {};
