/**
 * Node's HTTP client as one function: a request in, an answer or a refusal out, within a time and a size.
 *
 * Connections are kept and used again, at most as many as delivery has requests under way, and closed after less idle time
 * than servers have (or as the server's Keep-Alive header says). A request whose connection the server had closed just
 * then is made once more on a fresh one, if it may be; after a silence no idle connection is trusted any more.
 */

import { Agent, request as httpRequest } from 'node:http';
import { DEADLINE, LinkedAbort } from '../../core/linked-abort.ts';
import type { Result } from '../../core/ports.ts';
import type { Refusal } from '../../core/refusal.ts';
import { type HttpAnswer, readAnswer } from './answer.ts';
import { Refused } from './connection.ts';
import { Dialer, type DialPorts, type DialSettings } from './dial.ts';
import { authority, hostHeader, type Origin, written } from './origin.ts';
import { codeOf, socketRefusal } from './tls-refusal.ts';

/** What delivery has under way at once (core/delivery.ts). */
const CONNECTIONS_MAX = 4;
/** nginx keeps an idle connection for 75 s, ThingsBoard for 60 s, most NATs for longer, ms. */
const IDLE_MS = 50_000;
/** After so long without traffic the kernel asks whether the other end is there: longer than a connection is idle. */
const PROBE_AFTER_MS = 60_000;

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const STOPPED: Refusal = { reason: 'aborted', detail: 'stopping' };
const NO_ANSWER = Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' });

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** With the query; it may hold the token, so it goes into no text. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** May be made twice: it changes nothing, or the same. */
  readonly isRepeatable: boolean;
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
  readonly #agent: Agent;
  readonly #closed = new AbortController();

  constructor(origin: Origin, settings: ClientSettings, ports: ClientPorts) {
    this.#origin = origin;
    this.#settings = settings;
    this.#ports = ports;
    const dialer = new Dialer(origin, settings, ports);
    this.#dialer = dialer;
    this.#agent = new Agent({
      keepAlive: true,
      keepAliveMsecs: PROBE_AFTER_MS,
      maxSockets: CONNECTIONS_MAX,
      maxFreeSockets: CONNECTIONS_MAX,
      timeout: IDLE_MS,
    });
    this.#agent.createConnection = (_options, callback) => {
      void dialer.open(this.#closed.signal).then((opened) => {
        // Without a connection Node looks at the error only.
        if (opened.ok) callback?.(null, opened.value);
        else (callback as ((error: Error) => void) | undefined)?.(new Refused(opened.refusal));
      });
      return undefined;
    };
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<Result<HttpAnswer>> {
    if (signal.aborted) return lateOrStopped(signal);
    using limit = new LinkedAbort(signal);
    void this.#ports.clock.sleep(request.patienceMs, limit.signal).then(() => limit.abort(DEADLINE));
    if (!request.isRepeatable) this.#dropIdle();
    let tried = await this.#once(request, limit.signal);
    if (tried.wasClosedBefore && request.isRepeatable) {
      // Those kept beside it may have died with it.
      this.#dropIdle();
      tried = await this.#once(request, limit.signal);
    }
    const isSilent = limit.signal.aborted && limit.signal.reason === DEADLINE && !tried.result.ok;
    limit.abort();
    if (!isSilent) return tried.result;
    this.#dropIdle();
    const detail = `no answer from ${authority(this.#origin)} in ${Math.round(request.patienceMs / 1000)} s`;
    return signal.aborted ? lateOrStopped(signal) : { ok: false, refusal: { reason: 'silent', detail } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#agent.destroy();
  }

  #dropIdle(): void {
    for (const idle of Object.values(this.#agent.freeSockets)) {
      for (const socket of idle ?? []) socket.destroy();
    }
  }

  #once(request: HttpRequest, signal: AbortSignal): Promise<Tried> {
    const { method, path, body } = request;
    const outgoing = httpRequest({
      agent: this.#agent,
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
    });
    let stop = (): void => {};
    const answered = new Promise<Tried>((resolve) => {
      stop = () => {
        const stopped = new Refused(STOPPED);
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
        if (writtenMs !== undefined) onRoundTrip?.(clock.monotonicMs() - writtenMs);
        void readAnswer(incoming).then(
          (result) => resolve({ result, wasClosedBefore: false }),
          (error: unknown) => resolve(failed(error)),
        );
      });
      outgoing.on('error', (error) => {
        const wasClosedBefore = outgoing.reusedSocket && !hasAnswer && CLOSED.has(codeOf(error));
        resolve({ ...failed(error), wasClosedBefore });
      });
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else outgoing.end(body);
    return answered.finally(() => signal.removeEventListener('abort', stop));
  }

  /** To a proxy the whole URL is said, unless there is a tunnel. */
  #target(path: string): string {
    return this.#settings.proxy && this.#origin.scheme === 'http' ? `${written(this.#origin)}${path}` : path;
  }

  #proxyHeader(): Readonly<Record<string, string>> {
    const authorization = this.#settings.proxy?.authorization;
    if (this.#origin.scheme !== 'http' || !authorization) return {};
    return { 'Proxy-Authorization': authorization.reveal() };
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refused) return error.refusal;
    const where = authority(this.#origin);
    if (codeOf(error).startsWith('HPE_')) {
      return { reason: 'unintelligible', detail: `${where}: not HTTP (${codeOf(error)})` };
    }
    return socketRefusal(error, where);
  }
}

interface Tried {
  readonly result: Result<HttpAnswer>;
  /** The connection had been used before, and was closed before any answer came. */
  readonly wasClosedBefore: boolean;
}

/** A caller whose own patience is over has met a silence. */
function lateOrStopped(signal: AbortSignal): Result<never> {
  if (signal.reason !== DEADLINE) return { ok: false, refusal: STOPPED };
  return { ok: false, refusal: { reason: 'silent', detail: 'no answer in the time there was' } };
}
