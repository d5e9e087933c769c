/**
 * The helpers of one endpoint. Usually there is one: it keeps the session, by which a later handshake is short. More run
 * only while several addresses of the server are tried at once, because a helper has one link.
 */

import type { Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { TlsSettings } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DatagramSocket } from '../datagram-socket.ts';
import { DtlsHelper, type LinkOwner } from './helper.ts';
import type { HelperEnd, StartHelper } from './helper-process.ts';
import { DtlsSocket } from './socket.ts';

export interface DtlsSettings {
  /** The name in the URL, or its address; the certificate of the server must be for it. */
  readonly host: string;
  readonly tls: TlsSettings;
}

export interface DtlsPorts {
  readonly clock: Clock;
  readonly startHelper: StartHelper;
}

/** A helper that ran for so long is started again at once, ms. */
const STABLE_MS = 60_000;
/** Before the second start of a helper that ends early: doubled each time, ms. */
const [PAUSE_MS, PAUSE_MS_MAX] = [500, 30_000];

export class DtlsEndpoint implements AsyncDisposable {
  readonly settings: DtlsSettings;
  readonly clock: Clock;
  readonly #startHelper: StartHelper;
  readonly #running = new Set<DtlsHelper>();
  /** The one with the latest session. */
  #kept: DtlsHelper | undefined;
  /** Helpers in a row that ended early. */
  #deaths = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(settings: DtlsSettings, { clock, startHelper }: DtlsPorts) {
    this.settings = settings;
    this.clock = clock;
    this.#startHelper = startHelper;
  }

  /** A socket whose datagrams go through a helper; the type of the address is that of its peer. */
  readonly openSocket = (): DatagramSocket => new DtlsSocket(this);

  /** A helper for `owner` alone. Takes it from a socket that does not shake hands. */
  async acquire(owner: LinkOwner, signal: AbortSignal): Promise<Result<DtlsHelper>> {
    const waitMs = this.#kept ? 0 : this.#notBeforeMs - this.clock.monotonicMs();
    if (waitMs > 0) await this.clock.sleep(waitMs, signal);
    if (signal.aborted || this.#isClosed) return aborted();
    const kept = this.#kept;
    if (kept && kept.state !== 'shaking-hands') {
      kept.moveTo(owner);
      return { ok: true, value: kept };
    }
    const helper = new DtlsHelper(this.#startHelper, this.settings.tls, this.clock, (end) =>
      this.#onEnd(helper, end),
    );
    helper.moveTo(owner);
    this.#running.add(helper);
    this.#kept ??= helper;
    return { ok: true, value: helper };
  }

  /** The handshake of the helper succeeded. */
  keep(helper: DtlsHelper): void {
    if (this.#running.has(helper)) this.#kept = helper;
  }

  /** `owner` needs the helper no longer. */
  release(helper: DtlsHelper, owner: LinkOwner): void {
    if (!helper.isOwnedBy(owner)) return;
    // An unfinished handshake would report its end during the next one.
    if (helper.state === 'shaking-hands' || helper !== this.#kept) this.#end(helper);
    else helper.quit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const helper of this.#running) this.#end(helper);
  }

  #end(helper: DtlsHelper): void {
    this.#remove(helper);
    helper.close();
  }

  #onEnd(helper: DtlsHelper, { isMissing }: HelperEnd): void {
    if (!this.#running.has(helper)) return;
    this.#remove(helper);
    if (isMissing) return;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - helper.startedMs >= STABLE_MS) this.#deaths = 0;
    else this.#deaths += 1;
    const pauseMs = this.#deaths === 0 ? 0 : Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (this.#deaths - 1));
    this.#notBeforeMs = nowMs + pauseMs;
  }

  #remove(helper: DtlsHelper): void {
    this.#running.delete(helper);
    if (this.#kept === helper) this.#kept = undefined;
  }
}
