/**
 * `firstlight sandbox`: runs the embedded ThingsBoard stand-in until stopped. The first line shows its ports, with --json as one
 * JSON object; `GET /` on the admin port lists its functions.
 */

import { EX_FAILED, EX_OK } from '../../app/exit-codes.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { openSandbox } from '../../sandbox/sandbox.ts';

export interface SandboxOptions {
  readonly host: string;
  readonly coapPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly coapsPort?: number;
  readonly key: string;
  readonly secret: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Resolves with 0 after the signal, with 1 if a port is in use. */
export async function sandboxCommand(
  options: SandboxOptions,
  out: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<number> {
  const { host, coapPort, httpPort, adminPort, coapsPort, key, secret, data, json } = options;
  try {
    await using sandbox = await openSandbox({
      host,
      coapPort,
      httpPort,
      adminPort,
      provisioning: { key, secret },
      ...(coapsPort !== undefined && { coaps: { port: coapsPort } }),
      ...(data !== undefined && { dataFile: data }),
      ...(!json && { log: (line: string) => out.write(`${line}\n`) }),
    });
    const ports = { coapPort: sandbox.coapPort, httpPort: sandbox.httpPort, adminPort: sandbox.adminPort };
    const coaps = sandbox.coaps && { coapsPort: sandbox.coaps.port, caFile: sandbox.coaps.certFile };
    out.write(json ? `${JSON.stringify({ ...ports, ...coaps })}\n` : greeting(host, ports));
    if (coaps && !json)
      out.write(`devices by coaps on port ${coaps.coapsPort} with server.ca-file ${coaps.caFile}\n`);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return EX_OK;
  } catch (error) {
    out.write(`the sandbox cannot start: ${errorMessage(error)}\n`);
    return EX_FAILED;
  }
}

function greeting(host: string, ports: { coapPort: number; httpPort: number; adminPort: number }): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return [
    `ThingsBoard sandbox: devices by coap://${name}:${ports.coapPort} and http://${name}:${ports.httpPort}`,
    `show its state: curl http://127.0.0.1:${ports.adminPort}/stats\n`,
  ].join('\n');
}
