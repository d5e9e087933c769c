/**
 * A connection to an origin, made and judged before a byte of a request is written: TCP over IPv4 or IPv6, through the proxy
 * if there is one, and TLS for https.
 *
 *   TCP to the proxy or the server ─▶ CONNECT, if there is a proxy ─▶ TLS ─▶ judged ─▶ ours
 *
 * Node is told not to end a connection it does not trust, because it would take the certificate away before anybody could
 * say who issued it. So it is ended here: nothing but a connection that Node calls authorised leaves this file.
 */

import { isIP, type Socket } from 'node:net';
import { type SecureContext, connect as secure, type TLSSocket } from 'node:tls';
import { LinkedAbort } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Refusal } from '../../core/failures/failure.ts';
import type { ProxyAddress, TlsSettings } from '../../core/model/config.ts';
import { judgeDates } from './certificate-dates.ts';
import { authority, hostHeader, type Origin } from './origin.ts';
import { serverClockMs } from './server-clock.ts';
import { ABORTED, outcome, refused, refusedFor } from './socket-result.ts';
import { type ReachPorts, refusedByProxy, tcpTo, tunnel } from './tcp-connect.ts';
import { certificateRefusal, pinOf, socketRefusal } from './tls-failure.ts';
import { secureContextOf } from './trust-store.ts';

/** From the name to the end of the handshake, ms. */
const DIAL_MS = 20_000;
export interface DialSettings {
  readonly tls: TlsSettings;
  readonly proxy?: ProxyAddress;
}

export type DialPorts = ReachPorts;

export class Dialer {
  readonly #origin: Origin;
  readonly #settings: DialSettings;
  readonly #ports: DialPorts;
  #context: Promise<SecureContext> | undefined;
  /** Of the last good handshake, so that the next one is short. */
  #session: Buffer | undefined;
  /** What a TLS connection runs over, which alone can be reset. */
  readonly #below = new WeakMap<Socket, Socket>();

  constructor(origin: Origin, settings: DialSettings, ports: DialPorts) {
    this.#origin = origin;
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Resolves within `DIAL_MS`. */
  async open(signal: AbortSignal): Promise<Result<Socket>> {
    using limit = new LinkedAbort(signal);
    void this.#ports.clock.sleep(DIAL_MS, limit.signal).then(() => limit.abort());
    const opened = await this.#open(limit.signal);
    const isLate = limit.signal.aborted && !signal.aborted;
    limit.abort();
    if (opened.ok || opened.refusal.reason !== 'aborted' || !isLate) return opened;
    const reason = this.#settings.proxy ? 'proxy-away' : 'silent';
    return refused(reason, `${authority(this.#near)}: no connection in ${DIAL_MS / 1000} s`);
  }

  /** Closes a connection so that what was written and has not left this host never does. */
  reset(socket: Socket): void {
    (this.#below.get(socket) ?? socket).resetAndDestroy();
  }

  /** Whom the TCP connection goes to. */
  get #near(): { readonly host: string; readonly port: number } {
    return this.#settings.proxy ?? this.#origin;
  }

  async #open(signal: AbortSignal): Promise<Result<Socket>> {
    const { proxy } = this.#settings;
    const near = await tcpTo(this.#near, this.#ports, signal);
    if (!near.ok) return proxy ? refusedByProxy(near.refusal) : near;
    if (this.#origin.scheme === 'http') return near;
    const through = proxy ? await tunnel(near.value, proxy, this.#origin, signal) : near;
    return through.ok ? this.#secured(through.value, signal) : through;
  }

  async #secured(socket: Socket, signal: AbortSignal): Promise<Result<Socket>> {
    const { host } = this.#origin;
    const secureContext = await this.#trust();
    if (!secureContext) {
      socket.destroy();
      return refused('client-certificate', 'our certificates or our key cannot be used for TLS');
    }
    const secured = secure({
      socket,
      host,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      // See the head of this file: what is not authorised is refused below.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#session && { session: this.#session }),
    });
    const failure = await outcome(secured, 'secureConnect', signal);
    if (failure === ABORTED) return aborted();
    if (failure !== undefined) return refusedFor(socketRefusal(failure, authority(this.#origin)));
    const refusal = await this.#judge(secured, signal);
    if (refusal) {
      this.#session = undefined;
      secured.destroy();
      return refusedFor(refusal);
    }
    this.#below.set(secured, socket);
    secured.on('session', (session) => {
      this.#session = session;
    });
    return { ok: true, value: secured };
  }

  /** Undefined when what the operator gave is of no use to OpenSSL, which the configuration could not know. */
  async #trust(): Promise<SecureContext | undefined> {
    try {
      this.#context ??= secureContextOf(this.#settings.tls);
      return await this.#context;
    } catch {
      return undefined;
    }
  }

  /** Why this is not the server we were told to talk to; undefined: it is. */
  async #judge(socket: TLSSocket, signal: AbortSignal): Promise<Refusal | undefined> {
    const { host } = this.#origin;
    const { pins } = this.#settings.tls;
    if (!socket.authorized) {
      const refusal = certificateRefusal(String(socket.authorizationError), socket, host);
      if (refusal.reason !== 'certificate-dates') return refusal;
      const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
      const serverMs = await serverClockMs(socket, hostHeader(this.#origin), this.#ports.clock, signal);
      return judgeDates({
        fromMs: Date.parse(from),
        toMs: Date.parse(to),
        ourMs: this.#ports.clock.wallMs(),
        ...(serverMs !== undefined && { serverMs }),
      });
    }
    // A session that is taken up again is that of a connection whose key was looked at.
    if (pins.length === 0 || socket.isSessionReused()) return undefined;
    const pin = pinOf(socket.getPeerCertificate().raw);
    return pins.includes(pin) ? undefined : { reason: 'certificate-pin', detail: `the key's pin is ${pin}` };
  }
}
