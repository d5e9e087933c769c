/**
 * The helpers of one endpoint. Usually there is one: it keeps the session, by which a later handshake is short. More run
 * only while several addresses of the server are tried at once, because a helper has one link.
 */

import { aborted, type Failure, type Result } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DatagramSocket } from '../datagram-socket.ts';
import { networkFailure } from '../network-failure.ts';
import { createResolver, formatAddress, type SocketAddress } from '../resolve.ts';
import { parseCertificate } from '../tls/tls-failure.ts';
import { helperFailure } from './dtls-failure.ts';
import type { DtlsSettings, HelperPool } from './handshake.ts';
import { DtlsHelper, type LinkOwner } from './helper.ts';
import { type HelperEnd, helperPaths, helperStarter, type StartHelper, tryHelper } from './helper-process.ts';
import { DtlsSocket } from './socket.ts';

export interface DtlsPorts {
  readonly clock: Clock;
  readonly startHelper: StartHelper;
}

/** A helper that ran for so long is started again at once, ms. */
const STABLE_MS = 60_000;
/** Before the second start of a helper that ends early: doubled each time, ms. */
const [PAUSE_MS, PAUSE_MS_MAX] = [500, 30_000];
const NAMES_CHARACTERS_MAX = 120;

export class DtlsEndpoint implements HelperPool, AsyncDisposable {
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

  /** Takes it from a socket that does not shake hands, if one has it. */
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

  keep(helper: DtlsHelper): void {
    if (this.#running.has(helper)) this.#kept = helper;
  }

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

  #onEnd(helper: DtlsHelper, { cause }: HelperEnd): void {
    if (!this.#running.has(helper)) return;
    this.#remove(helper);
    if (cause !== 'ended') return;
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

export function openDtlsEndpoint(
  settings: DtlsSettings,
  clock: Clock,
  environment: Readonly<Record<string, string | undefined>>,
): DtlsEndpoint {
  return new DtlsEndpoint(settings, { clock, startHelper: helperStarter(helperPaths(environment), clock) });
}

/** Undefined if the host has a helper of the right version. */
export async function helperProblem(
  clock: Clock,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Failure | undefined> {
  const end = await tryHelper(helperStarter(helperPaths(environment), clock));
  return end.cause === 'ended' ? undefined : helperFailure(end);
}

/** Shakes hands with the first address that responds; describes the server. For `firstlight doctor`. */
export async function checkHandshake(
  endpoint: DtlsEndpoint,
  port: number,
  signal: AbortSignal,
): Promise<Result<string>> {
  const { clock, settings } = endpoint;
  const peers = await createResolver()(settings.host, port, clock, signal);
  if (!peers.ok) return peers;
  let failure: Failure = aborted().failure;
  for (const peer of peers.value) {
    const socket = new DtlsSocket(endpoint);
    try {
      await connect(socket, peer, signal);
      return { ok: true, value: describeServer(formatAddress(peer), socket.serverCertificate) };
    } catch (error) {
      failure = networkFailure(error, formatAddress(peer));
    } finally {
      socket.close();
    }
  }
  return { ok: false, failure };
}

/** Rejects if there is no handshake. */
async function connect(
  socket: DtlsSocket,
  { port, address }: SocketAddress,
  signal: AbortSignal,
): Promise<void> {
  const close = () => socket.close();
  signal.addEventListener('abort', close);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.connect(port, address, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    signal.removeEventListener('abort', close);
  }
}

function describeServer(target: string, leaf: Buffer | undefined): string {
  const certificate = parseCertificate(leaf);
  const names = certificate?.subjectAltName?.replace(/[^\x20-\x7e]/g, '?').slice(0, NAMES_CHARACTERS_MAX);
  const until = certificate && new Date(certificate.validTo).toISOString().slice(0, 10);
  return `${target} agrees on DTLS, with a trusted certificate for ${names ?? 'no name'}, valid until ${until ?? 'unknown'}`;
}
