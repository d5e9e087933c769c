/** From the options of a command to a session with ThingsBoard's REST API. */

import { X509Certificate } from 'node:crypto';
import { VERSION } from '../../app/version.ts';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { proxyFromEnvironment } from '../../config/values/proxy.ts';
import { parseServerUrl } from '../../config/values/server-url.ts';
import type { ServerAddress } from '../../core/model/config.ts';
import { isPrivateAddress } from '../../core/model/private-address.ts';
import { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { hostClock } from '../../host/clock/clock.ts';
import type { RestCredentials } from '../../thingsboard/rest/client.ts';
import { RestClient } from '../../thingsboard/rest/client.ts';
import { createExchange } from '../../thingsboard/rest/exchange.ts';
import { networkError, RestError } from '../../thingsboard/rest/rest-error.ts';
import { Dialer } from '../../transport/http/dial.ts';
import { hostHeader, type Origin } from '../../transport/http/origin.ts';
import { createResolver } from '../../transport/resolve.ts';
import { askSecret, type SecretInput } from '../ui/ask-secret.ts';
import type { Out } from '../ui/terminal.ts';

export interface LoginOptions {
  readonly url: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

export interface CommandPorts {
  readonly environment: NodeJS.ProcessEnv;
  readonly input: SecretInput & NodeJS.ReadStream;
  readonly out: Out & NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

const SECRET_BYTES_MAX = 4096;
const PEM_BYTES_MAX = 256 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Checks every option before the first byte is sent. Throws a UsageError or a RestError. */
export async function connect(options: LoginOptions, ports: CommandPorts): Promise<RestClient> {
  const address = serverAddress(options.url);
  const ca = options.caFile === undefined ? undefined : readCertificates(options.caFile);
  const credentials = await readCredentials(options, ports);
  const clock = hostClock();
  const { proxy } = proxyFromEnvironment(ports.environment, address);
  const origin: Origin = { ...address, scheme: address.scheme === 'https' ? 'https' : 'http' };
  const tunnel = origin.scheme === 'https' && proxy ? { proxy } : {};
  const dialPorts = { clock, resolve: createResolver() };
  if (origin.scheme === 'http') await requirePrivateNetwork(origin, clock, ports.signal);
  const dialer = new Dialer(
    origin,
    { tls: { pins: [], ...(ca !== undefined && { ca }) }, ...tunnel },
    dialPorts,
  );
  const exchange = createExchange({
    host: hostHeader(origin),
    userAgent: `firstlight/${VERSION}`,
    open: (signal) => dialer.open(signal),
    clock,
  });
  return RestClient.open(exchange, credentials, ports.signal);
}

export function serverAddress(url: string): ServerAddress {
  const address = parseServerUrl(url.replace(/\/+$/, ''));
  if (typeof address === 'string')
    throw new UsageError(`--url ${url} ${address}: give the web interface, such as https://tb.example.com`);
  if (address.scheme !== 'http' && address.scheme !== 'https')
    throw new UsageError(`--url ${url} is not the web interface: it begins with http:// or https://`);
  return address;
}

/** Without encryption, anyone on the path reads the password of an administrator. */
async function requirePrivateNetwork(
  { host, port }: Origin,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const addresses = await createResolver()(host, port, clock, signal);
  if (!addresses.ok) throw networkError(addresses.failure);
  const open = addresses.value.find(({ address }) => !isPrivateAddress(address));
  if (open)
    throw new RestError(
      'unreachable',
      `--url leads to ${open.address} without encryption, where anyone on the path can read the password: use https, or run this command on the server`,
    );
}

async function readCredentials(
  { user, passwordFile, tokenFile }: LoginOptions,
  { input, out, signal }: CommandPorts,
): Promise<RestCredentials> {
  if (tokenFile !== undefined) {
    if (user !== undefined || passwordFile !== undefined)
      throw new UsageError('--token-file needs neither --user nor --password-file: leave them out');
    return { type: 'token', token: readSecret('--token-file', tokenFile) };
  }
  if (user === undefined) throw new UsageError('--user NAME or --token-file FILE is missing');
  if (passwordFile !== undefined)
    return { type: 'password', user, password: readSecret('--password-file', passwordFile) };
  const password = await askSecret(input, out, `Password of ${user}: `, signal);
  if (password === undefined)
    throw new UsageError('no password: input is not a terminal, so give it with --password-file FILE');
  return { type: 'password', user, password };
}

function readSecret(option: string, path: string): Secret {
  const text = readFile(option, path, SECRET_BYTES_MAX).replace(/\r?\n$/, '');
  if (text === '' || /[\p{Cc}]/u.test(text))
    throw new UsageError(`${option} ${path} must contain one line and nothing else`);
  return new Secret(text);
}

function readCertificates(path: string): string {
  const text = readFile('--ca-file', path, PEM_BYTES_MAX);
  const certificates = text.match(CERTIFICATE) ?? [];
  const isValid = (pem: string): boolean => {
    try {
      return new X509Certificate(pem).raw.length > 0;
    } catch {
      return false;
    }
  };
  if (certificates.length === 0 || !certificates.every(isValid))
    throw new UsageError(`--ca-file ${path} contains no valid certificate (PEM)`);
  return text;
}

function readFile(option: string, path: string, bytesMax: number): string {
  const file = readTextFile(path, bytesMax);
  if (file.is === 'text') return file.text;
  throw new UsageError(`${option} ${path} ${file.is === 'missing' ? 'does not exist' : file.what}`);
}
