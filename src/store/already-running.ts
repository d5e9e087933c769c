/**
 * Why the lock of a state directory was refused: somebody holds it. The message says who it may be and what
 * to do.
 */

export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
  readonly code = 'ALREADY_RUNNING';

  /**
   * `socket` is how the lock's name begins where `ss` shows it: any program of this host could have taken it.
   */
  constructor(directory: string, socket: string, options?: ErrorOptions) {
    super(
      `another firstlight already runs on ${directory}; stop it, or give this one another state directory with --state (if none runs, another program holds its lock: "ss -xlp | grep ${socket}" shows which)`,
      options,
    );
  }
}
