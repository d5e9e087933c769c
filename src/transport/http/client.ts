/**
 * Sends one HTTP request and returns its response or failure. The timeout covers everything from the name
 * lookup to the last byte of the body. If the server has closed a reused connection, a repeatable request is
 * sent once more on a new one. After a timeout all idle connections are closed.
 */

import { request as httpRequest } from 'node:http';
import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure } from '../../core/failures/failure.ts';
import type { ProxyAddress } from '../../core/model/config.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { FailureError } from '../network-failure.ts';
import { socketFailure } from '../tls/tls-failure.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Dialer, type DialPorts, type DialSettings } from './dial.ts';
import { formatAuthority, formatOrigin, hostHeader, type Origin } from './origin.ts';
import { type HttpResponse, isQueueTimeout, readResponse } from './response.ts';
import { fail } from './socket-result.ts';

const CLOSED_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const NO_RESPONSE = Object.assign(new Error('closed without a response'), { code: 'ECONNRESET' });

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** With the query. It may contain the token, so it must not appear in a log or failure. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** A second identical request has no further effect. */
  readonly isRepeatable: boolean;
  /** Monotonic ms; before redirects. */
  readonly startedMs: number;
  /** From `startedMs`. */
  readonly timeoutMs: number;
  /** A long poll: the server waits, and 408 is its answer when nothing happened (contract section 8). */
  readonly isPoll?: boolean;
  /** Default: 16 KiB. */
  readonly responseBytesMax?: number;
}

export interface ClientSettings extends DialSettings {
  readonly userAgent: string;
}

export interface ClientPorts extends DialPorts {
  /** Called with the time from the end of the request to the start of the response, ms. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

export class HttpClient implements AsyncDisposable {
  readonly #origin: Origin;
  readonly #settings: ClientSettings;
  readonly #ports: ClientPorts;
  readonly #dialer: Dialer;
  readonly #pool: ConnectionPool;

  constructor(origin: Origin, settings: ClientSettings, ports: ClientPorts) {
    this.#origin = origin;
    this.#settings = settings;
    this.#ports = ports;
    this.#dialer = new Dialer(origin, settings, ports);
    this.#pool = new ConnectionPool(this.#dialer);
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<Result<HttpResponse>> {
    if (signal.aborted) return signal.reason === DEADLINE ? this.#timeoutFailure(request, false) : aborted();
    using requestAbort = new ChildAbortController(signal);
    const { clock } = this.#ports;
    const remainingMs = Math.max(0, request.startedMs + request.timeoutMs - clock.monotonicMs());
    void clock.sleep(remainingMs, requestAbort.signal).then(() => requestAbort.abort(DEADLINE));
    if (!request.isRepeatable) this.#pool.dropIdle();
    let attempt = await this.#sendOnce(request, requestAbort.signal);
    if (attempt.wasStale && request.isRepeatable) {
      // The other idle connections may be closed too.
      this.#pool.dropIdle();
      attempt = await this.#sendOnce(request, requestAbort.signal);
    }
    // The deadline of this request or of the caller.
    const isTimedOut = requestAbort.signal.reason === DEADLINE && !attempt.result.ok;
    requestAbort.abort();
    if (!isTimedOut) return attempt.result;
    this.#pool.dropIdle();
    return this.#timeoutFailure(request, attempt.hadConnection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool[Symbol.dispose]();
  }

  #sendOnce(request: HttpRequest, signal: AbortSignal): Promise<Attempt> {
    const { method, path, body } = request;
    const outgoing = httpRequest({
      agent: this.#pool.agent,
      method,
      path: this.#target(path),
      headers: {
        Host: hostHeader(this.#origin),
        'User-Agent': this.#settings.userAgent,
        ...(body !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        }),
        ...this.#proxyHeader(),
      },
    });
    const { clock, onRoundTrip } = this.#ports;
    let hasResponse = false;
    let writtenMs: number | undefined;
    outgoing.on('finish', () => {
      writtenMs = clock.monotonicMs();
    });
    const failedAttempt = (error: unknown): Attempt => ({
      result: { ok: false, failure: this.#failureOf(error) },
      wasStale: false,
      hadConnection: outgoing.socket !== null,
    });
    let abort = (): void => {};
    const attemptPromise = new Promise<Attempt>((resolve) => {
      abort = () => {
        const abortError = new FailureError(aborted().failure);
        resolve(failedAttempt(abortError)); // does not wait for a connection that is being opened
        // Bytes in the kernel's buffer must not arrive after the failure: the reading might be stored twice.
        if (!request.isRepeatable && outgoing.socket) this.#dialer.reset(outgoing.socket);
        outgoing.destroy(abortError);
      };
      // The only event from Node if the server switches the protocol.
      outgoing.on('close', () => {
        if (!hasResponse) resolve(failedAttempt(NO_RESPONSE));
      });
      outgoing.on('response', (incoming) => {
        hasResponse = true;
        // The next request needs another connection (RFC 9110 sections 15.5.9 and 15.5.20).
        const { statusCode = 0 } = incoming;
        const isRejected = statusCode === 408 && !request.isPoll;
        if (isRejected || statusCode === 421) outgoing.shouldKeepAlive = false;
        // On a reused connection, another program's 408 refers to its idle time and not to this request.
        const mayBeStale = isRejected && outgoing.reusedSocket;
        if (writtenMs !== undefined && !request.isPoll) onRoundTrip?.(clock.monotonicMs() - writtenMs);
        void readResponse(incoming, this.#plaintextProxy?.url, request.responseBytesMax).then(
          (result) => {
            const wasStale = mayBeStale && !(result.ok && isQueueTimeout(result.value));
            resolve({ result, wasStale, hadConnection: true });
          },
          (error: unknown) => resolve(failedAttempt(error)),
        );
      });
      outgoing.on('error', (error) => {
        const wasStale = outgoing.reusedSocket && !hasResponse && CLOSED_CODES.has(errorCode(error) ?? '');
        resolve({ ...failedAttempt(error), wasStale });
      });
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else outgoing.end(body);
    return attemptPromise.finally(() => signal.removeEventListener('abort', abort));
  }

  /** A proxy that reads the requests and may respond itself; absent for https, which uses a tunnel. */
  get #plaintextProxy(): ProxyAddress | undefined {
    return this.#origin.scheme === 'http' ? this.#settings.proxy : undefined;
  }

  /** A plaintext proxy needs the whole URL. */
  #target(path: string): string {
    return this.#plaintextProxy ? `${formatOrigin(this.#origin)}${path}` : path;
  }

  #proxyHeader(): Readonly<Record<string, string>> {
    const authorization = this.#plaintextProxy?.authorization;
    return authorization ? { 'Proxy-Authorization': authorization.reveal() } : {};
  }

  #timeoutFailure({ startedMs }: HttpRequest, hadConnection: boolean): Result<never> {
    const elapsedS = Math.round((this.#ports.clock.monotonicMs() - startedMs) / 1000);
    const missing = hadConnection ? 'response from' : 'connection to';
    return fail('server-timeout', `no ${missing} ${formatAuthority(this.#origin)} within ${elapsedS} s`);
  }

  #failureOf(error: unknown): Failure {
    if (error instanceof FailureError) return error.failure;
    const target = formatAuthority(this.#origin);
    const code = errorCode(error) ?? 'unknown';
    if (code.startsWith('HPE_')) {
      const cause = code === 'HPE_HEADER_OVERFLOW' ? 'response header over 16 KiB' : 'response is not HTTP';
      return { reason: 'unexpected-response', detail: `${target}: ${cause} (${code})` };
    }
    return socketFailure(error, target);
  }
}

interface Attempt {
  readonly result: Result<HttpResponse>;
  /** The server closed the reused connection, or responded 408, before it handled the request. */
  readonly wasStale: boolean;
  readonly hadConnection: boolean;
}
