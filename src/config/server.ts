/** The table [server]: the endpoints with their proxy, and the TLS settings. */

import type { Config, EndpointConfig, ServerAddress } from '../core/model/config.ts';
import { settings } from './schema/settings.ts';
import type { Environment } from './sources/environment.ts';
import type { Reader } from './sources/reader.ts';
import { readTls } from './sources/tls-files.ts';
import { proxyFromEnvironment } from './values/proxy.ts';

export interface ServerResult {
  /** Absent without a valid URL. */
  readonly server?: Config['server'];
  readonly warnings: readonly string[];
}

/** Adds problems to `reader`. */
export function readServer(environment: Environment, reader: Reader): ServerResult {
  const addresses = reader.last(settings.serverUrl);
  const spreadMs = reader.lastOrDefault(settings.serverSpread);
  const configuredProxy = reader.last(settings.serverProxy);
  const { tls, warnings } = readTls(reader);
  if (!addresses) return { warnings };
  const proxyWarnings: string[] = [];
  const toEndpoint = (address: ServerAddress): EndpointConfig => {
    if (address.scheme === 'coap') return address;
    const choice = configuredProxy
      ? { proxy: configuredProxy.proxy, warnings: [] }
      : proxyFromEnvironment(environment, address);
    proxyWarnings.push(...choice.warnings);
    return { ...address, ...(choice.proxy && { proxy: choice.proxy }) };
  };
  const [first, ...rest] = addresses;
  const endpoints = [toEndpoint(first), ...rest.map(toEndpoint)] as const;
  return { server: { endpoints, spreadMs, tls }, warnings: [...new Set([...warnings, ...proxyWarnings])] };
}
