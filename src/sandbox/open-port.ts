/**
 * Binds the requested port, else the port of the previous run, else any free port.
 * Only a requested port can fail; if the previous one is in use, another is taken and logged.
 */

export interface PortOptions {
  /** The name in messages. */
  readonly name: string;
  /** 0: none in particular. */
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
      log(`the previous ${name} port ${previous} is in use: taking another one`);
    }
  }
  return open(0);
}
