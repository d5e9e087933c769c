/** When updates that the server assigns may begin. */

/** A daily window in local time, minutes since midnight; `from` after `to` includes midnight. */
export interface UpdateWindow {
  readonly fromMinute: number;
  readonly toMinute: number;
}

export interface UpdateSchedule {
  /** 0 to 24 h. */
  readonly spreadMs: number;
  /** Absent: any time. */
  readonly window?: UpdateWindow;
}
