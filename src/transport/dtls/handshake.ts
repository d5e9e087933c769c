/** The handshake of a socket with its server: a few attempts within one deadline, each judged before a datagram leaves. */

import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import { AsyncSignal } from '../../core/async/async-signal.ts';
import { aborted, type Result } from '../../core/failures/failure.ts';
import type { TlsSettings } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { formatAddress, type SocketAddress } from '../resolve.ts';
import { pinFailure } from '../tls/tls-failure.ts';
import { handshakeFailure, helperFailure } from './dtls-failure.ts';
import type { HelperEvent } from './frames.ts';
import type { DtlsHelper, LinkOwner } from './helper.ts';
import type { HelperEnd } from './helper-process.ts';

/** With all attempts, ms; as for https. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/**
 * Of the first attempt, ms. A server that lost a datagram of its flight repeats it late, and later each time (ThingsBoard after
 * 9 s), whatever the client repeats; a new handshake begins at once. The next attempt has the remaining time, for slow networks.
 */
const FIRST_ATTEMPT_MS = 6_000;
/** Anybody can forge an alert during a handshake, so the first two are not believed. */
const ATTEMPTS_MAX = 3;
/** Before the second attempt, and twice as long before the third, ms. */
const ATTEMPT_PAUSE_MS = 500;

export interface DtlsSettings {
  /** The name in the URL, or its address; the certificate of the server must be for it. */
  readonly host: string;
  readonly tls: TlsSettings;
}

/** The helpers of an endpoint. */
export interface HelperPool {
  readonly settings: DtlsSettings;
  readonly clock: Clock;
  /** A helper for `owner` alone. */
  acquire(owner: LinkOwner, signal: AbortSignal): Promise<Result<DtlsHelper>>;
  /** The handshake of the helper succeeded: it has the latest session. */
  keep(helper: DtlsHelper): void;
  /** `owner` needs the helper no longer. */
  release(helper: DtlsHelper, owner: LinkOwner): void;
}

/** A link whose server is the configured one. */
export interface NewLink {
  readonly helper: DtlsHelper;
  readonly isResumed: boolean;
  /** The server's certificate in DER. */
  readonly leaf: Buffer;
}

export type AttemptEnd =
  | Extract<HelperEvent, { type: 'up' | 'failed' }>
  | { readonly type: 'helper-lost'; readonly end: HelperEnd | undefined };

interface Attempt {
  readonly result: Result<NewLink>;
  /** What failed may be no fault of the server, so that another attempt may succeed. */
  readonly mayRepeat: boolean;
}

export class Handshake {
  readonly #pool: HelperPool;
  readonly #owner: LinkOwner;
  readonly #ends = new AsyncSignal();
  #end: AttemptEnd | undefined;

  /** `owner` gets the events of the helper and passes the end of each attempt to `onEnd`. */
  constructor(pool: HelperPool, owner: LinkOwner) {
    this.#pool = pool;
    this.#owner = owner;
  }

  onEnd(end: AttemptEnd): void {
    this.#end = end;
    this.#ends.notify();
  }

  /** One at a time. The helper of the result belongs to the owner. */
  async run(peer: SocketAddress, signal: AbortSignal): Promise<Result<NewLink>> {
    const { clock } = this.#pool;
    using timeout = new ChildAbortController(signal);
    void clock.sleep(HANDSHAKE_TIMEOUT_MS, timeout.signal).then(() => timeout.abort(DEADLINE));
    this.#end = undefined;
    let result: Result<NewLink> | undefined;
    for (let number = 1; number <= ATTEMPTS_MAX && !timeout.signal.aborted; number += 1) {
      if (this.#end) await clock.sleep(ATTEMPT_PAUSE_MS * (number - 1), timeout.signal);
      const attempt = await this.#attempt(peer, number === 1 ? FIRST_ATTEMPT_MS : undefined, timeout.signal);
      // The reason of an earlier attempt says more than the time-out.
      if (attempt.result.ok || attempt.result.failure.reason !== 'aborted') ({ result } = attempt);
      if (!attempt.mayRepeat) break;
    }
    const isTimeout = timeout.signal.reason === DEADLINE && signal.reason !== DEADLINE;
    timeout.abort();
    if (result) return result;
    if (!isTimeout) return aborted();
    const detail = `${formatAddress(peer)}: no DTLS handshake within ${HANDSHAKE_TIMEOUT_MS / 1000} s`;
    return { ok: false, failure: { reason: 'server-timeout', detail } };
  }

  async #attempt(peer: SocketAddress, patienceMs: number | undefined, signal: AbortSignal): Promise<Attempt> {
    const { clock, settings } = this.#pool;
    const { tls, host } = settings;
    const acquired = await this.#pool.acquire(this.#owner, signal);
    if (!acquired.ok) return { result: acquired, mayRepeat: false };
    const helper = acquired.value;
    const { version } = this.#ends;
    this.#end = undefined;
    // The server knows the device by a client certificate only on a port from which it has seen a full handshake
    // (contract section 9), and each handshake has a new port.
    const isFull = tls.client !== undefined;
    const { address, port } = peer;
    helper.open({ address, port, serverName: host.replace(/\.$/, ''), isFull });
    using patience = new ChildAbortController(signal);
    if (patienceMs !== undefined) void clock.sleep(patienceMs, patience.signal).then(() => patience.abort());
    await this.#ends.wait(patience.signal, version);
    patience.abort();
    const end = this.#end;
    const result = end ? this.#judge(helper, end, peer) : aborted();
    if (!result.ok) this.#pool.release(helper, this.#owner);
    return { result, mayRepeat: !result.ok && (end === undefined || mayRepeat(end)) };
  }

  #judge(helper: DtlsHelper, end: AttemptEnd, peer: SocketAddress): Result<NewLink> {
    const { host, tls } = this.#pool.settings;
    if (end.type === 'helper-lost') return { ok: false, failure: helperFailure(end.end) };
    if (end.type === 'failed') {
      const context = { host, target: formatAddress(peer), hostMs: this.#pool.clock.wallMs() };
      return { ok: false, failure: handshakeFailure(end, context) };
    }
    const { leaf, isResumed } = end;
    const failure = pinFailure(leaf, tls.pins);
    if (failure) return { ok: false, failure };
    this.#pool.keep(helper);
    return { ok: true, value: { helper, isResumed, leaf } };
  }
}

/** Anybody can forge an alert, and an ended helper says nothing of the server. */
function mayRepeat(end: AttemptEnd): boolean {
  if (end.type === 'helper-lost') return end.end === undefined || end.end.cause === 'ended';
  return end.type === 'failed' && /^(ALERT_|PROTOCOL$)/.test(end.code);
}
