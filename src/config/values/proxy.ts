/**
 * The forward proxy for http and https: server.proxy, or else HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment, in upper
 * or lower case. server.proxy = "none" disables the proxy. Name and password in the URL become a Secret and are in no text.
 */

import type { ProxyAddress, ServerAddress } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import { parseAuthority } from './server-url.ts';

const PROXY_PORT = 3128;

/** Without `proxy`: explicitly none. */
export interface ProxySetting {
  readonly proxy?: ProxyAddress;
}

/** Parses http://[name:password@]host[:port] or none. A string result is the problem, continuing `<key> = <value> …`. */
export function parseProxy(text: string): ProxySetting | string {
  if (text === 'none') return {};
  const [, scheme, credentials, authority] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:(.*)@)?([^@]*?)\/?$/is.exec(text) ?? [];
  if (authority === undefined || authority === '') return 'is not the URL of a proxy';
  if ((scheme ?? 'http').toLowerCase() !== 'http') return 'has an unsupported scheme; supported: http';
  const parsed = parseAuthority(authority, PROXY_PORT);
  if (typeof parsed === 'string') return parsed;
  const url = `http://${credentials === undefined ? '' : '***@'}${authority}`;
  const auth = credentials === undefined ? {} : parseCredentials(credentials);
  if (auth === null) return 'has a name or password with invalid percent-encoding';
  return { proxy: { url, ...parsed, ...auth } };
}

function parseCredentials(credentials: string): Pick<ProxyAddress, 'authorization' | 'password'> | null {
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

export interface EnvironmentProxy extends ProxySetting {
  /** For the log: an invalid variable, without its value. */
  readonly warnings: readonly string[];
}

/** The proxy that the environment sets for `endpoint`. */
export function proxyFromEnvironment(
  environment: NodeJS.ProcessEnv,
  endpoint: ServerAddress,
): EnvironmentProxy {
  const names = endpoint.scheme === 'https' ? ['HTTPS_PROXY', 'https_proxy'] : ['http_proxy', 'HTTP_PROXY'];
  const name = names.find((each) => environment[each] !== undefined && environment[each] !== '');
  const text = name === undefined ? undefined : environment[name];
  if (text === undefined || isExempt(environment['NO_PROXY'] ?? environment['no_proxy'] ?? '', endpoint)) {
    return { warnings: [] };
  }
  const parsed = parseProxy(text);
  if (typeof parsed === 'string') return { warnings: [`${name} ${parsed}: the agent uses no proxy`] };
  return { ...parsed, warnings: [] };
}

/** A name in the list matches itself and its subdomains, `*` everything, `name:port` only that port. */
function isExempt(list: string, { host, port }: ServerAddress): boolean {
  const target = host.toLowerCase();
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', onlyPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      if (onlyPort !== undefined && Number(onlyPort) !== port && !name.includes(':')) return false;
      const domain = name.replace(/^\*?\./, '');
      return target === domain || target.endsWith(`.${domain}`);
    });
}
