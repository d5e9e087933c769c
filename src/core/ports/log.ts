/** Port for the log: one constant sentence per line, everything that varies in fields. */

/**
 * The ports: everything the core and the agent's loops ask of the outside world.
 *
 * Each has a real adapter in a room of its own and, where tests need one, a double in test/doubles that
 * passes the same contract suite. Time, chance, network and disk enter the program here and nowhere else.
 */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
/** One constant sentence per event; what varies goes into fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
