/**
 * Node's HTTP client as one function: a request in, an answer or a refusal out, within a time and a size.
 *
 * The time is that of all of it, from the name to the last byte of the answer: an answer that drips is none. A request
 * whose kept connection the server had closed just then is made once more on a fresh one, if it may be; after a silence
 * no idle connection is trusted any more.
 */

import { request as httpRequest } from 'node:http';
import { DEADLINE, LinkedAbort } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Refusal } from '../../core/failures/failure.ts';
import type { ProxyAddress } from '../../core/model/config.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { Connections } from './connection-pool.ts';
import { Dialer, type DialPorts, type DialSettings } from './dial.ts';
import { authority, hostHeader, type Origin, written } from './origin.ts';
import { type HttpAnswer, readAnswer } from './response.ts';
import { Refused, refused } from './socket-result.ts';
import { socketRefusal } from './tls-failure.ts';

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const NO_ANSWER = Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' });

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** With the query; it may hold the token, so it goes into no text. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** May be made twice: it changes nothing, or the same. */
  readonly isRepeatable: boolean;
  /** When the asking began, monotonic ms, and how long an answer is waited for from then on. */
  readonly sinceMs: number;
  readonly patienceMs: number;
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
  readonly #connections: Connections;

  constructor(origin: Origin, settings: ClientSettings, ports: ClientPorts) {
    this.#origin = origin;
    this.#settings = settings;
    this.#ports = ports;
    this.#dialer = new Dialer(origin, settings, ports);
    this.#connections = new Connections(this.#dialer);
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<Result<HttpAnswer>> {
    if (signal.aborted) return signal.reason === DEADLINE ? this.#silence(request, false) : aborted();
    using limit = new LinkedAbort(signal);
    const { clock } = this.#ports;
    const leftMs = Math.max(0, request.sinceMs + request.patienceMs - clock.monotonicMs());
    void clock.sleep(leftMs, limit.signal).then(() => limit.abort(DEADLINE));
    if (!request.isRepeatable) this.#connections.dropIdle();
    let tried = await this.#once(request, limit.signal);
    if (tried.wasClosedBefore && request.isRepeatable) {
      // Those kept beside it may have died with it.
      this.#connections.dropIdle();
      tried = await this.#once(request, limit.signal);
    }
    // Ours or the caller's: a caller whose own patience is over has met a silence.
    const isSilent = limit.signal.reason === DEADLINE && !tried.result.ok;
    limit.abort();
    if (!isSilent) return tried.result;
    this.#connections.dropIdle();
    return this.#silence(request, tried.hadConnection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections[Symbol.dispose]();
  }

  #once(request: HttpRequest, signal: AbortSignal): Promise<Tried> {
    const { method, path, body } = request;
    const outgoing = httpRequest({
      agent: this.#connections.agent,
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
    let hasAnswer = false;
    let writtenMs: number | undefined;
    outgoing.on('finish', () => {
      writtenMs = clock.monotonicMs();
    });
    const failed = (error: unknown): Tried => ({
      result: { ok: false, refusal: this.#refusalOf(error) },
      wasClosedBefore: false,
      hadConnection: outgoing.socket !== null,
    });
    let stop = (): void => {};
    const answered = new Promise<Tried>((resolve) => {
      stop = () => {
        const stopped = new Refused(aborted().refusal);
        resolve(failed(stopped)); // a connection that is being made is not waited for
        // What is in the kernel's buffer must not arrive when nobody waits for it any more: it might be done twice.
        if (!request.isRepeatable && outgoing.socket) this.#dialer.reset(outgoing.socket);
        outgoing.destroy(stopped);
      };
      // Node says nothing else of a connection that the server turns into another protocol.
      outgoing.on('close', () => {
        if (!hasAnswer) resolve(failed(NO_ANSWER));
      });
      outgoing.on('response', (incoming) => {
        hasAnswer = true;
        // Another connection is wanted: this one was waited for in vain, or leads to somebody else (RFC 9110, 15.5.9 and 15.5.20).
        const { statusCode = 0 } = incoming;
        if (statusCode === 408 || statusCode === 421) outgoing.shouldKeepAlive = false;
        // Said of the idle time before us, while we were writing.
        const wasClosedBefore = statusCode === 408 && outgoing.reusedSocket;
        if (writtenMs !== undefined) onRoundTrip?.(clock.monotonicMs() - writtenMs);
        void readAnswer(incoming, this.#proxyInTheClear?.url).then(
          (result) => resolve({ result, wasClosedBefore, hadConnection: true }),
          (error: unknown) => resolve(failed(error)),
        );
      });
      outgoing.on('error', (error) => {
        const wasClosedBefore = outgoing.reusedSocket && !hasAnswer && CLOSED.has(errorCode(error) ?? '');
        resolve({ ...failed(error), wasClosedBefore });
      });
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else outgoing.end(body);
    return answered.finally(() => signal.removeEventListener('abort', stop));
  }

  /** A proxy that reads our requests and may answer itself; through a tunnel it cannot. */
  get #proxyInTheClear(): ProxyAddress | undefined {
    return this.#origin.scheme === 'http' ? this.#settings.proxy : undefined;
  }

  /** To such a proxy the whole URL is said. */
  #target(path: string): string {
    return this.#proxyInTheClear ? `${written(this.#origin)}${path}` : path;
  }

  #proxyHeader(): Readonly<Record<string, string>> {
    const authorization = this.#proxyInTheClear?.authorization;
    return authorization ? { 'Proxy-Authorization': authorization.reveal() } : {};
  }

  #silence({ sinceMs }: HttpRequest, hadConnection: boolean): Result<never> {
    const forS = Math.round((this.#ports.clock.monotonicMs() - sinceMs) / 1000);
    const missing = hadConnection ? 'answer from' : 'connection to';
    return refused('silent', `no ${missing} ${authority(this.#origin)} in ${forS} s`);
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refused) return error.refusal;
    const where = authority(this.#origin);
    const code = errorCode(error) ?? 'unknown';
    if (code.startsWith('HPE_')) {
      const what = code === 'HPE_HEADER_OVERFLOW' ? 'an answer with a header over 16 KiB' : 'not HTTP';
      return { reason: 'unintelligible', detail: `${where}: ${what} (${code})` };
    }
    return socketRefusal(error, where);
  }
}

interface Tried {
  readonly result: Result<HttpAnswer>;
  /** The connection had been used before, and was closed, or called overdue, before any answer came. */
  readonly wasClosedBefore: boolean;
  /** There was one to write the request to. */
  readonly hadConnection: boolean;
}
