/** An entry of the event catalogue: level and sentence. */

/** `info`: no action needed; `warn`: recovers without help; `error`: a person must act. */
export type EventLevel = 'info' | 'warn' | 'error';

export interface EventEntry {
  readonly level: EventLevel;
  /** Constant: "cause: remedy". */
  readonly sentence: string;
}
