/** A server.url at which the gateway's server is not: nobody answers there, or another ThingsBoard that does not know the token. */

import { BODY_BYTES_MAX } from '../../../src/core/delivery/encode.ts';
import type { FailureReason, Result } from '../../../src/core/failures/failure.ts';
import { aborted } from '../../../src/core/failures/failure.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';

/** Other addresses of the same server. */
export const GOOD_URLS = ['coap://192.0.2.7:5683', 'coap://192.0.2.8:5683'] as const;
export const NOBODY_URL = 'coap://192.0.2.66';
export const STRANGER_URL = 'coap://192.0.2.77';

export function isCuttingOff(url: string): boolean {
  return url.startsWith(NOBODY_URL) || url.startsWith(STRANGER_URL);
}

export function cutOffTransport(url: string, clock: Pick<Clock, 'sleep'>): Transport {
  const [reason, ms]: [FailureReason, number] = url.startsWith(NOBODY_URL)
    ? ['server-timeout', 45_000]
    : ['unauthorized', 1_000];
  const fail = async (signal: AbortSignal): Promise<Result<never>> => {
    await clock.sleep(ms, signal);
    return signal.aborted ? aborted() : { ok: false, failure: { reason, detail: 'simulated' } };
  };
  return {
    bodyBytesMax: () => BODY_BYTES_MAX,
    provision: (_request, _persist, signal) => fail(signal),
    probe: (_token, signal) => fail(signal),
    postTelemetry: (_token, _body, signal) => fail(signal),
    postAttributes: (_token, _body, signal) => fail(signal),
    listen: (_token, _to, _listener, signal) => fail(signal),
    reply: (_token, _id, _body, signal) => fail(signal),
    downloadChunk: (_token, _chunk, signal) => fail(signal),
    [Symbol.asyncDispose]: async () => {},
  };
}
