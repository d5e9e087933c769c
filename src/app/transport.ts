/**
 * Opens the transport of the configuration: one endpoint, or failover between several.
 *
 * Each transport is loaded when it is first needed, because HTTP adds 6 MiB that a CoAP gateway does not need.
 */

import { endpointId } from '../config/values/server-url.ts';
import { coapBodyBytesMax, DTLS_MESSAGE_BYTES_MAX } from '../core/delivery/encode.ts';
import { failureEventId, logEvent } from '../core/events/catalogue.ts';
import type { Result } from '../core/failures/failure.ts';
import { coapObstacle, httpObstacle } from '../core/model/access-token.ts';
import { type Config, type EndpointConfig, isEncryptedScheme } from '../core/model/config.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Random } from '../core/ports/random.ts';
import type { Transport } from '../core/ports/transport.ts';
import { VERSION } from './version.ts';

export interface TransportPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called with the time to the first response, ms, of each request that was sent once. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

export interface OpenTransport {
  readonly transport: Transport;
  /** The id of the endpoint in use. */
  readonly endpoint: () => string;
}

export async function openTransport(server: Config['server'], ports: TransportPorts): Promise<OpenTransport> {
  const { endpoints } = server;
  if (endpoints.length === 1)
    return {
      transport: await openEndpoint(endpoints[0], server, ports),
      endpoint: () => endpointId(endpoints[0]),
    };
  const { FailoverTransport } = await import('../transport/failover/failover-transport.ts');
  const endpointConfigs = endpoints.map((endpoint) => ({
    url: endpoint.url,
    isEncrypted: isEncryptedScheme(endpoint.scheme),
    obstacleOf: endpoint.scheme.startsWith('coap') ? coapObstacle : httpObstacle,
    ...(endpoint.scheme === 'coaps' && { bodyBytesMax: (token: Secret) => dtlsBodyBytesMax(server, token) }),
    open: () => openEndpoint(endpoint, server, ports),
  }));
  const transport = new FailoverTransport(endpointConfigs, ports);
  return { transport, endpoint: () => endpointId(endpoints[transport.currentEndpoint] ?? endpoints[0]) };
}

/** Opens one endpoint without failover. */
export async function openEndpoint(
  endpoint: EndpointConfig,
  server: Config['server'],
  ports: TransportPorts,
): Promise<Transport> {
  const { scheme } = endpoint;
  const { tls } = server;
  if (scheme === 'coap') {
    const { CoapTransport } = await import('../transport/coap/transport.ts');
    return new CoapTransport(endpoint, ports);
  }
  if (scheme === 'coaps') return openDtls(endpoint, server, ports);
  const { HttpTransport } = await import('../transport/http/transport.ts');
  return new HttpTransport({ ...endpoint, scheme, tls, userAgent: `firstlight/${VERSION}` }, ports);
}

async function openDtls(
  { host, port }: EndpointConfig,
  { tls }: Config['server'],
  ports: TransportPorts,
): Promise<Transport> {
  const { CoapTransport } = await import('../transport/coap/transport.ts');
  const { openDtlsEndpoint } = await import('../transport/dtls/endpoint.ts');
  const dtls = openDtlsEndpoint({ host, tls }, ports.clock, process.env);
  const limits = { messageBytesMax: DTLS_MESSAGE_BYTES_MAX, isCertificateDevice: tls.client !== undefined };
  return new CoapTransport(
    { host, port, dtls: limits },
    { ...ports, openSocket: dtls.openSocket, closeSockets: () => dtls[Symbol.asyncDispose]() },
  );
}

/** Shakes hands with a coaps endpoint; resolves with a description of the server, for the doctor. */
export async function shakeHands(
  { host, port }: EndpointConfig,
  { tls }: Config['server'],
  { clock }: TransportPorts,
  signal: AbortSignal,
): Promise<Result<string>> {
  const { checkHandshake, openDtlsEndpoint } = await import('../transport/dtls/endpoint.ts');
  await using dtls = openDtlsEndpoint({ host, tls }, clock, process.env);
  return await checkHandshake(dtls, port, signal);
}

/**
 * Logs if a coaps endpoint behind the first one has no helper that it could use: the first one says so itself at its first
 * request, the others would when they are needed. Never rejects; do not await it.
 */
export async function warnOfHelper(
  [first, ...others]: Config['server']['endpoints'],
  { clock, log }: TransportPorts,
): Promise<void> {
  if (first.scheme === 'coaps' || !others.some(({ scheme }) => scheme === 'coaps')) return;
  const { helperProblem } = await import('../transport/dtls/endpoint.ts');
  const problem = await helperProblem(clock, process.env);
  if (problem) logEvent(log, failureEventId(problem.reason), { detail: problem.detail });
}

function dtlsBodyBytesMax({ tls }: Config['server'], token: Secret): number {
  return coapBodyBytesMax(DTLS_MESSAGE_BYTES_MAX, tls.client ? undefined : token);
}
