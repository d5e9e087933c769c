/**
 * Node's HTTP client as one function: a request in, an answer or a refusal out, within a time and a size.
 *
 * The time is that of all of it, from the name to the last byte of the answer: an answer that drips is none. A request
 * whose kept connection the server had closed just then is made once more on a fresh one, if it may be; after a silence
 * no idle connection is trusted any more.
 */

import { request as httpRequest } from 'node:http';
import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure } from '../../core/failures/failure.ts';
import type { ProxyAddress } from '../../core/model/config.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Dialer, type DialPorts, type DialSettings } from './dial.ts';
import { formatAuthority, formatOrigin, hostHeader, type Origin } from './origin.ts';
import { type HttpResponse, readResponse } from './response.ts';
import { FailureError, fail } from './socket-result.ts';
import { socketFailure } from './tls-failure.ts';

const CLOSED_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const NO_RESPONSE = Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' });

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** With the query; it may hold the token, so it goes into no text. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** May be made twice: it changes nothing, or the same. */
  readonly isRepeatable: boolean;
  /** When the asking began, monotonic ms, and how long an answer is waited for from then on. */
  readonly startedMs: number;
  readonly timeoutMs: number;
}

export interface ClientSettings extends DialSettings {
  readonly userAgent: string;
}

export interface ClientPorts extends DialPorts {
  /** Hears how long the server took to begin its answer, from the whole request being written, ms. */
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
      // Those kept beside it may have died with it.
      this.#pool.dropIdle();
      attempt = await this.#sendOnce(request, requestAbort.signal);
    }
    // Ours or the caller's: a caller whose own patience is over has met a silence.
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
        resolve(failedAttempt(abortError)); // a connection that is being made is not waited for
        // What is in the kernel's buffer must not arrive when nobody waits for it any more: it might be done twice.
        if (!request.isRepeatable && outgoing.socket) this.#dialer.reset(outgoing.socket);
        outgoing.destroy(abortError);
      };
      // Node says nothing else of a connection that the server turns into another protocol.
      outgoing.on('close', () => {
        if (!hasResponse) resolve(failedAttempt(NO_RESPONSE));
      });
      outgoing.on('response', (incoming) => {
        hasResponse = true;
        // Another connection is wanted: this one was waited for in vain, or leads to somebody else (RFC 9110, 15.5.9 and 15.5.20).
        const { statusCode = 0 } = incoming;
        if (statusCode === 408 || statusCode === 421) outgoing.shouldKeepAlive = false;
        // Said of the idle time before us, while we were writing.
        const wasStale = statusCode === 408 && outgoing.reusedSocket;
        if (writtenMs !== undefined) onRoundTrip?.(clock.monotonicMs() - writtenMs);
        void readResponse(incoming, this.#plaintextProxy?.url).then(
          (result) => resolve({ result, wasStale, hadConnection: true }),
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

  /** A proxy that reads our requests and may answer itself; through a tunnel it cannot. */
  get #plaintextProxy(): ProxyAddress | undefined {
    return this.#origin.scheme === 'http' ? this.#settings.proxy : undefined;
  }

  /** To such a proxy the whole URL is said. */
  #target(path: string): string {
    return this.#plaintextProxy ? `${formatOrigin(this.#origin)}${path}` : path;
  }

  #proxyHeader(): Readonly<Record<string, string>> {
    const authorization = this.#plaintextProxy?.authorization;
    return authorization ? { 'Proxy-Authorization': authorization.reveal() } : {};
  }

  #timeoutFailure({ startedMs }: HttpRequest, hadConnection: boolean): Result<never> {
    const elapsedS = Math.round((this.#ports.clock.monotonicMs() - startedMs) / 1000);
    const missing = hadConnection ? 'answer from' : 'connection to';
    return fail('server-timeout', `no ${missing} ${formatAuthority(this.#origin)} in ${elapsedS} s`);
  }

  #failureOf(error: unknown): Failure {
    if (error instanceof FailureError) return error.failure;
    const where = formatAuthority(this.#origin);
    const code = errorCode(error) ?? 'unknown';
    if (code.startsWith('HPE_')) {
      const what = code === 'HPE_HEADER_OVERFLOW' ? 'an answer with a header over 16 KiB' : 'not HTTP';
      return { reason: 'unexpected-response', detail: `${where}: ${what} (${code})` };
    }
    return socketFailure(error, where);
  }
}

interface Attempt {
  readonly result: Result<HttpResponse>;
  /** The connection had been used before, and was closed, or called overdue, before any answer came. */
  readonly wasStale: boolean;
  /** There was one to write the request to. */
  readonly hadConnection: boolean;
}
