/**
 * Why `firstlight run` cannot begin at all, beyond what the configuration shows by itself: sentences for the
 * operator, exit code 78.
 */

export class CannotStart extends Error {
  override readonly name = 'CannotStart';
  readonly code = 'CANNOT_START';
}
