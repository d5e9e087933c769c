/**
 * Binds a port the way a second `npm start` wants it: the one asked for, or else the one of last time, or else any.
 *
 * Only a port the caller insists on can fail; a remembered one that is taken meanwhile gives way, and the log says so.
 */

export interface PortOptions {
  /** How messages call it. */
  readonly name: string;
  /** 0: whichever can be had. */
  readonly requested: number;
  readonly previous: number | undefined;
  readonly log: (line: string) => void;
}

export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code = 'PORT_UNAVAILABLE';
}

export async function openPort<T>(options: PortOptions, open: (port: number) => Promise<T>): Promise<T> {
  const { name, requested, previous, log } = options;
  if (requested !== 0) {
    try {
      return await open(requested);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new PortError(`the sandbox cannot open its ${name} port ${requested}: ${reason}`, {
        cause: error,
      });
    }
  }
  if (previous !== undefined) {
    try {
      return await open(previous);
    } catch {
      log(`the ${name} port of last time, ${previous}, is taken; another is used`);
    }
  }
  return open(0);
}
