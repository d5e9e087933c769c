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
import { ChildAbortController } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure } from '../../core/failures/failure.ts';
import type { ProxyAddress, TlsSettings } from '../../core/model/config.ts';
import { classifyDates } from './certificate-dates.ts';
import { formatAuthority, hostHeader, type Origin } from './origin.ts';
import { serverClockMs } from './server-clock.ts';
import { ABORTED, fail, failWith, socketResult } from './socket-result.ts';
import { proxyFailure, type TcpPorts, tcpConnect, tunnel } from './tcp-connect.ts';
import { certificateFailure, pinOf, socketFailure } from './tls-failure.ts';
import { createTrustContext } from './trust-store.ts';

/** From the name to the end of the handshake, ms. */
const DIAL_TIMEOUT_MS = 20_000;
export interface DialSettings {
  readonly tls: TlsSettings;
  readonly proxy?: ProxyAddress;
}

export type DialPorts = TcpPorts;

export class Dialer {
  readonly #origin: Origin;
  readonly #settings: DialSettings;
  readonly #ports: DialPorts;
  #context: Promise<SecureContext> | undefined;
  /** Of the last good handshake, so that the next one is short. */
  #session: Buffer | undefined;
  /** What a TLS connection runs over, which alone can be reset. */
  readonly #tcpSockets = new WeakMap<Socket, Socket>();

  constructor(origin: Origin, settings: DialSettings, ports: DialPorts) {
    this.#origin = origin;
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Resolves within `DIAL_MS`. */
  async open(signal: AbortSignal): Promise<Result<Socket>> {
    using dialAbort = new ChildAbortController(signal);
    void this.#ports.clock.sleep(DIAL_TIMEOUT_MS, dialAbort.signal).then(() => dialAbort.abort());
    const opened = await this.#open(dialAbort.signal);
    const isTimedOut = dialAbort.signal.aborted && !signal.aborted;
    dialAbort.abort();
    if (opened.ok || opened.failure.reason !== 'aborted' || !isTimedOut) return opened;
    const reason = this.#settings.proxy ? 'proxy-unreachable' : 'server-timeout';
    return fail(reason, `${formatAuthority(this.#firstHop)}: no connection in ${DIAL_TIMEOUT_MS / 1000} s`);
  }

  /** Closes a connection so that what was written and has not left this host never does. */
  reset(socket: Socket): void {
    (this.#tcpSockets.get(socket) ?? socket).resetAndDestroy();
  }

  /** Whom the TCP connection goes to. */
  get #firstHop(): { readonly host: string; readonly port: number } {
    return this.#settings.proxy ?? this.#origin;
  }

  async #open(signal: AbortSignal): Promise<Result<Socket>> {
    const { proxy } = this.#settings;
    const tcp = await tcpConnect(this.#firstHop, this.#ports, signal);
    if (!tcp.ok) return proxy ? proxyFailure(tcp.failure) : tcp;
    if (this.#origin.scheme === 'http') return tcp;
    const tunnelled = proxy ? await tunnel(tcp.value, proxy, this.#origin, signal) : tcp;
    return tunnelled.ok ? this.#startTls(tunnelled.value, signal) : tunnelled;
  }

  async #startTls(socket: Socket, signal: AbortSignal): Promise<Result<Socket>> {
    const { host } = this.#origin;
    const secureContext = await this.#secureContext();
    if (!secureContext) {
      socket.destroy();
      return fail('client-certificate-rejected', 'our certificates or our key cannot be used for TLS');
    }
    const tlsSocket = secure({
      socket,
      host,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      // See the head of this file: what is not authorised is refused below.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#session && { session: this.#session }),
    });
    const socketError = await socketResult(tlsSocket, 'secureConnect', signal);
    if (socketError === ABORTED) return aborted();
    if (socketError !== undefined) return failWith(socketFailure(socketError, formatAuthority(this.#origin)));
    const failure = await this.#verify(tlsSocket, signal);
    if (failure) {
      this.#session = undefined;
      tlsSocket.destroy();
      return failWith(failure);
    }
    this.#tcpSockets.set(tlsSocket, socket);
    tlsSocket.on('session', (session) => {
      this.#session = session;
    });
    return { ok: true, value: tlsSocket };
  }

  /** Undefined when what the operator gave is of no use to OpenSSL, which the configuration could not know. */
  async #secureContext(): Promise<SecureContext | undefined> {
    try {
      this.#context ??= createTrustContext(this.#settings.tls);
      return await this.#context;
    } catch {
      return undefined;
    }
  }

  /** Why this is not the server we were told to talk to; undefined: it is. */
  async #verify(socket: TLSSocket, signal: AbortSignal): Promise<Failure | undefined> {
    const { host } = this.#origin;
    const { pins } = this.#settings.tls;
    if (!socket.authorized) {
      const failure = certificateFailure(String(socket.authorizationError), socket, host);
      if (failure.reason !== 'certificate-date-invalid') return failure;
      const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
      const serverMs = await serverClockMs(socket, hostHeader(this.#origin), this.#ports.clock, signal);
      return classifyDates({
        fromMs: Date.parse(from),
        toMs: Date.parse(to),
        hostMs: this.#ports.clock.wallMs(),
        ...(serverMs !== undefined && { serverMs }),
      });
    }
    // A session that is taken up again is that of a connection whose key was looked at.
    if (pins.length === 0 || socket.isSessionReused()) return undefined;
    const pin = pinOf(socket.getPeerCertificate().raw);
    return pins.includes(pin)
      ? undefined
      : { reason: 'certificate-pin-mismatch', detail: `the key's pin is ${pin}` };
  }
}
