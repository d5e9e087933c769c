/** The connection as the downlink sees it: the access token while the session delivers, none during an outage. */

import { AsyncSignal } from '../async/async-signal.ts';
import type { Secret } from '../model/secret.ts';
import type { SessionEvent, SessionState } from '../session/state.ts';

export class Connection {
  readonly #changes = new AsyncSignal();
  #token: Secret | undefined;

  /** The token with which the server accepted the last message; undefined before the first and during an outage. */
  get token(): Secret | undefined {
    return this.#token;
  }

  /** The session changed to the state `after` by `event`. */
  onStep(event: SessionEvent, after: SessionState): void {
    if (event.type === 'delivered' && 'identity' in after) this.#setToken(after.identity.token);
    else if (after.at === 'wait') this.#setToken(undefined);
  }

  /** Resolves with the token as soon as there is one, or with undefined when the signal aborts. */
  async connected(signal: AbortSignal): Promise<Secret | undefined> {
    while (this.#token === undefined && !signal.aborted) await this.#changes.wait(signal);
    return signal.aborted ? undefined : this.#token;
  }

  /** Resolves when the token is no longer `token`, or when the signal aborts. */
  async ended(token: Secret, signal: AbortSignal): Promise<void> {
    while (this.#token?.equals(token) && !signal.aborted) await this.#changes.wait(signal);
  }

  #setToken(token: Secret | undefined): void {
    const isSame = token === undefined ? this.#token === undefined : this.#token?.equals(token);
    if (isSame) return;
    this.#token = token;
    this.#changes.notify();
  }
}
