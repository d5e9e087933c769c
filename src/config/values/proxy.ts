/**
 * The forward proxy that http and https go through: server.proxy, or else what the environment says as for other programs
 * (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case).
 *
 * server.proxy = "none" means none, whatever the environment says. Name and password may be in the URL; they become a
 * Secret at once and are in no text.
 */

import type { ProxyAddress, ServerAddress } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import { parseAuthority } from './server-url.ts';

const PROXY_PORT = 3128;

/** Absent: none, on purpose. */
export interface ProxyChoice {
  readonly proxy?: ProxyAddress;
}

/** http://[name:password@]host[:port] or none; or what is wrong with it, as the continuation of a sentence. */
export function parseProxy(text: string): ProxyChoice | string {
  if (text === 'none') return {};
  const [, scheme, credentials, place] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:(.*)@)?([^@]*?)\/?$/is.exec(text) ?? [];
  if (place === undefined || place === '') return 'is not the URL of a proxy';
  if ((scheme ?? 'http').toLowerCase() !== 'http')
    return 'has a scheme that is not supported; supported: http';
  const parsed = parseAuthority(place, PROXY_PORT);
  if (typeof parsed === 'string') return parsed;
  const url = `http://${credentials === undefined ? '' : '***@'}${place}`;
  const login = credentials === undefined ? {} : basic(credentials);
  if (login === null) return 'has a name or password that is not percent-encoded as it should be';
  return { proxy: { url, ...parsed, ...login } };
}

function basic(credentials: string): Pick<ProxyAddress, 'authorization' | 'password'> | null {
  try {
    const [name = '', ...rest] = credentials.split(':');
    const password = rest.length === 0 ? undefined : decodeURIComponent(rest.join(':'));
    const plain = [decodeURIComponent(name), ...(password === undefined ? [] : [password])].join(':');
    return {
      authorization: new Secret(`Basic ${Buffer.from(plain).toString('base64')}`),
      ...(password !== undefined && { password: new Secret(password) }),
    };
  } catch {
    return null;
  }
}

export interface EnvironmentProxy extends ProxyChoice {
  /** For the log: a variable that cannot be used. No value is in it. */
  readonly warnings: readonly string[];
}

/** What other programs would use for `road`. */
export function proxyOfEnvironment(environment: NodeJS.ProcessEnv, road: ServerAddress): EnvironmentProxy {
  const names = road.scheme === 'https' ? ['HTTPS_PROXY', 'https_proxy'] : ['http_proxy', 'HTTP_PROXY'];
  const name = names.find((each) => environment[each] !== undefined && environment[each] !== '');
  const text = name === undefined ? undefined : environment[name];
  if (text === undefined || isExempt(environment['NO_PROXY'] ?? environment['no_proxy'] ?? '', road)) {
    return { warnings: [] };
  }
  const parsed = parseProxy(text);
  if (typeof parsed === 'string') return { warnings: [`${name} ${parsed}; no proxy is used`] };
  return { ...parsed, warnings: [] };
}

/** A name in the list stands for itself and what is below it; `*` for everything; `name:port` for that port. */
function isExempt(list: string, { host, port }: ServerAddress): boolean {
  const wanted = host.toLowerCase();
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', only] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      if (only !== undefined && Number(only) !== port && !name.includes(':')) return false;
      const plain = name.replace(/^\*?\./, '');
      return wanted === plain || wanted.endsWith(`.${plain}`);
    });
}
