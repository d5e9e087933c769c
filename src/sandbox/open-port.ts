/**
 * Binds a port the way a second `npm start` wants it: the one asked for, or else the one of last time, or else any.
 *
 * Only a port the caller insists on can fail; a remembered one that is taken meanwhile gives way, and the log says so.
 */

export interface PortWish {
  /** How messages call it. */
  readonly name: string;
  /** 0: whichever can be had. */
  readonly wanted: number;
  readonly remembered: number | undefined;
  readonly log: (line: string) => void;
}

export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code = 'PORT_UNAVAILABLE';
}

export async function openPort<T>(wish: PortWish, open: (port: number) => Promise<T>): Promise<T> {
  const { name, wanted, remembered, log } = wish;
  if (wanted !== 0) {
    try {
      return await open(wanted);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new PortError(`the sandbox cannot open its ${name} port ${wanted}: ${reason}`, { cause: error });
    }
  }
  if (remembered !== undefined) {
    try {
      return await open(remembered);
    } catch {
      log(`the ${name} port of last time, ${remembered}, is taken; another is used`);
    }
  }
  return open(0);
}
