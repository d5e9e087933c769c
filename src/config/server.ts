/**
 * Where the readings go, and by which roads: the URLs, the proxy, whom https trusts.
 */

import type { Config, Road, ServerAddress } from '../core/model/config.ts';
import { settings } from './schema/settings.ts';
import type { Environment } from './sources/environment.ts';
import type { Reader } from './sources/reader.ts';
import { readTls } from './sources/tls-files.ts';
import { proxyOfEnvironment } from './values/proxy.ts';

export interface ServerFound {
  /** Absent without a URL that is right. */
  readonly server?: Config['server'];
  readonly warnings: readonly string[];
}

/** What is wrong is told to the reader. */
export function readServer(environment: Environment, reader: Reader): ServerFound {
  const addresses = reader.last(settings.serverUrl);
  const spreadMs = reader.lastOrDefault(settings.serverSpread);
  const chosen = reader.last(settings.serverProxy);
  const { tls, warnings } = readTls(reader);
  if (!addresses) return { warnings };
  const unusable: string[] = [];
  const roadTo = (address: ServerAddress): Road => {
    if (address.scheme === 'coap') return address;
    const found = chosen ? { proxy: chosen.proxy, warnings: [] } : proxyOfEnvironment(environment, address);
    unusable.push(...found.warnings);
    return { ...address, ...(found.proxy && { proxy: found.proxy }) };
  };
  const [first, ...rest] = addresses;
  const roads = [roadTo(first), ...rest.map(roadTo)] as const;
  return { server: { roads, spreadMs, tls }, warnings: [...new Set([...warnings, ...unusable])] };
}
