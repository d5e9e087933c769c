/**
 * Opens a connection to an origin and verifies it before a request is written:
 *
 *   TCP to the proxy or the server ─▶ CONNECT, if there is a proxy ─▶ TLS, for https ─▶ verification
 *
 * `rejectUnauthorized` is off because Node discards the certificate of a rejected connection before its
 * issuer can be reported. This file closes every connection that Node has not authorised.
 */

import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { ChildAbortController } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { ProxyAddress, TlsSettings } from '../../core/model/config.ts';
import { socketFailure } from '../tls/tls-failure.ts';
import { formatAuthority, type Origin } from './origin.ts';
import { ABORTED, fail, failWith, socketResult } from './socket-result.ts';
import { connectTcp, openTunnel, proxyFailure, type TcpPorts } from './tcp-connect.ts';
import { createTrustContext } from './trust-store.ts';
import { verifyServer } from './verify-server.ts';

/** From the name lookup to the end of the TLS handshake, ms. */
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
  /** TLS session of the last verified handshake, for resumption. */
  #session: Buffer | undefined;
  /** The TCP socket of each TLS socket; only the TCP socket can be reset. */
  readonly #tcpSockets = new WeakMap<Socket, Socket>();

  constructor(origin: Origin, settings: DialSettings, ports: DialPorts) {
    this.#origin = origin;
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Resolves within `DIAL_TIMEOUT_MS`. */
  async open(signal: AbortSignal): Promise<Result<Socket>> {
    using dialAbort = new ChildAbortController(signal);
    void this.#ports.clock.sleep(DIAL_TIMEOUT_MS, dialAbort.signal).then(() => dialAbort.abort());
    const opened = await this.#open(dialAbort.signal);
    const isTimedOut = dialAbort.signal.aborted && !signal.aborted;
    dialAbort.abort();
    if (opened.ok || opened.failure.reason !== 'aborted' || !isTimedOut) return opened;
    const reason = this.#settings.proxy ? 'proxy-unreachable' : 'server-timeout';
    return fail(
      reason,
      `${formatAuthority(this.#firstHop)}: no connection within ${DIAL_TIMEOUT_MS / 1000} s`,
    );
  }

  /** Closes a connection and discards the bytes that have not left this host. */
  reset(socket: Socket): void {
    (this.#tcpSockets.get(socket) ?? socket).resetAndDestroy();
  }

  /** The peer of the TCP connection. */
  get #firstHop(): { readonly host: string; readonly port: number } {
    return this.#settings.proxy ?? this.#origin;
  }

  async #open(signal: AbortSignal): Promise<Result<Socket>> {
    const { proxy } = this.#settings;
    const tcp = await connectTcp(this.#firstHop, this.#ports, signal);
    if (!tcp.ok) return proxy ? proxyFailure(tcp.failure) : tcp;
    if (this.#origin.scheme === 'http') return tcp;
    const tunnelled = proxy ? await openTunnel(tcp.value, proxy, this.#origin, signal) : tcp;
    return tunnelled.ok ? this.#startTls(tunnelled.value, signal) : tunnelled;
  }

  async #startTls(socket: Socket, signal: AbortSignal): Promise<Result<Socket>> {
    const { host } = this.#origin;
    const secureContext = await this.#secureContext();
    if (!secureContext) {
      socket.destroy();
      return fail(
        'client-certificate-rejected',
        'OpenSSL cannot use the configured CA, client certificate or key',
      );
    }
    const tlsSocket = connectTls({
      socket,
      host,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      // `verifyServer` rejects unauthorised connections; see the file header.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#session && { session: this.#session }),
    });
    const socketError = await socketResult(tlsSocket, 'secureConnect', signal);
    if (socketError === ABORTED) return aborted();
    if (socketError !== undefined) return failWith(socketFailure(socketError, formatAuthority(this.#origin)));
    const failure = await verifyServer(
      tlsSocket,
      this.#origin,
      this.#settings.tls.pins,
      this.#ports.clock,
      signal,
    );
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

  /** Undefined if OpenSSL cannot use the configured files, which the configuration check does not detect. */
  async #secureContext(): Promise<SecureContext | undefined> {
    try {
      this.#context ??= createTrustContext(this.#settings.tls);
      return await this.#context;
    } catch {
      return undefined;
    }
  }
}
