/** A row of the event catalogue: level and sentence. */

/** `info` is good to know, `warn` heals by itself, `error` needs a person. */
export type EventLevel = 'info' | 'warn' | 'error';

export interface EventEntry {
  readonly level: EventLevel;
  /** Constant: "what happened: what to do". */
  readonly sentence: string;
}
