/** A sandbox behind DTLS and transports to it, for tests with the real helper; they skip where it is not compiled. */

import { existsSync } from 'node:fs';
import { DTLS_MESSAGE_BYTES_MAX } from '../../../src/core/delivery/encode.ts';
import type { TlsSettings } from '../../../src/core/model/config.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { dtlsFrontProblem } from '../../../src/sandbox/coaps/dtls-front.ts';
import { type CoapPorts, CoapTransport } from '../../../src/transport/coap/transport.ts';
import { DtlsEndpoint } from '../../../src/transport/dtls/endpoint.ts';
import { helperPaths, helperStarter, type StartHelper } from '../../../src/transport/dtls/helper-process.ts';
import { opensslProblem } from '../../doubles/certificates.ts';

const HELPER = helperPaths(process.env).find(existsSync);

/** Why the tests with the real helper cannot run here. */
export const dtlsProblem: string | false =
  opensslProblem ||
  (HELPER === undefined && 'the DTLS helper is not compiled') ||
  (dtlsFrontProblem() ?? false);

export const startRealHelper: StartHelper = (listener) =>
  helperStarter(helperPaths(process.env), hostClock())(listener);

export interface DtlsTarget {
  readonly host?: string;
  readonly port: number;
  readonly tls: TlsSettings;
  readonly startHelper?: StartHelper;
}

/** A transport as `app/transport.ts` opens it. */
export function openDtls(
  { host = 'localhost', port, tls, startHelper = startRealHelper }: DtlsTarget,
  ports: Partial<CoapPorts> = {},
): CoapTransport {
  const clock = ports.clock ?? hostClock();
  const dtls = new DtlsEndpoint({ host, tls }, { clock, startHelper });
  const limits = { messageBytesMax: DTLS_MESSAGE_BYTES_MAX, isCertificateDevice: tls.client !== undefined };
  return new CoapTransport(
    { host, port, dtls: limits },
    {
      clock,
      random: { uniform: () => 0.5 },
      openSocket: dtls.openSocket,
      closeSockets: () => dtls[Symbol.asyncDispose](),
      ...ports,
    },
  );
}
