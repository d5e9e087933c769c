/**
 * Collects the secrets of all configuration sources, including ineffective ones and those of an invalid configuration, so that
 * a caller can redact them. Never throws; skips what cannot be read.
 */

import { join } from 'node:path';
import { Secret } from '../../core/model/secret.ts';
import { parseProxy } from '../values/proxy.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { readTextFile } from './read-text-file.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from './secrets.ts';
import { readTomlFiles } from './toml-files.ts';

const KINDS = [PROVISIONING_SECRET, DEVICE_TOKEN];
const BYTES_MAX = 4 * 1024;

export function collectSecrets(
  file: string,
  environment: Environment,
  credentialsDirectory: string | undefined,
): readonly Secret[] {
  const rawSettings = [
    ...readTomlFiles(file).all.flatMap((each) => each.rawSettings),
    ...readEnvironment(environment).rawSettings,
  ];
  const texts = rawSettings.filter(({ setting }) => setting.type === 'secret').map(({ raw }) => String(raw));
  const namedPaths = rawSettings
    .filter(({ setting }) => KINDS.some((kind) => kind.file === setting))
    .map(({ raw }) => String(raw));
  const credentials =
    credentialsDirectory === undefined
      ? []
      : KINDS.map(({ credential }) => join(credentialsDirectory, credential));
  const fileContents = [...namedPaths, ...credentials].map((path) => readTextFile(path, BYTES_MAX));
  const urls = [
    ...rawSettings
      .filter(({ setting }) => setting.type === 'URL')
      .flatMap(({ raw }) => [raw].flat().map(String)),
    ...Object.entries(environment).flatMap(([name, url]) =>
      /^https?_proxy$/i.test(name) && url ? [url] : [],
    ),
  ];
  return [
    ...texts,
    ...fileContents.flatMap((found) => (found.is === 'text' ? [found.text.replace(/\r?\n$/, '')] : [])),
    ...urls.flatMap(findPasswords),
  ]
    .filter((text) => text !== '')
    .map((text) => new Secret(text));
}

/** Of `scheme://name:password@host`: the password as written and decoded, and the credentials that a proxy receives. */
function findPasswords(url: string): readonly string[] {
  const [, credentials] = /^(?:[^/]*\/\/)?(.*)@/.exec(url) ?? [];
  if (credentials === undefined) return [];
  const password = credentials.slice(credentials.indexOf(':') + 1);
  const proxy = parseProxy(url);
  const basicToken =
    typeof proxy === 'string' ? undefined : proxy.proxy?.authorization?.reveal().slice('Basic '.length);
  const plain = basicToken === undefined ? undefined : Buffer.from(basicToken, 'base64').toString();
  return [
    credentials,
    password,
    ...(plain === undefined ? [] : [plain, plain.slice(plain.indexOf(':') + 1)]),
  ];
}
