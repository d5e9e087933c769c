/**
 * The credential settings: a fixed access token, or the provisioning key and secret of a device profile.
 *
 * The client certificate takes precedence if a URL is coaps, then the token: then provisioning.* is validated but not used, and its files are not read. Key and secret are
 * required together. With after-success = "forget" a missing secret file is no problem, because the agent deletes it itself.
 */

import type { Config } from '../core/model/config.ts';
import type { Secret } from '../core/model/secret.ts';
import { type Problem, problemAt, type Source } from './errors/problem.ts';
import { type Setting, variableOf } from './schema/setting.ts';
import { settings } from './schema/settings.ts';
import type { NamedFilePlaces } from './sources/named-file.ts';
import { missingProblem, type Reader } from './sources/reader.ts';
import {
  DEVICE_TOKEN,
  findSecret,
  openFileWarning,
  PROVISIONING_SECRET,
  type SecretKind,
  type SecretResult,
  validateSecrets,
} from './sources/secrets.ts';
import type { TomlFiles } from './sources/toml-files.ts';

export interface CredentialsRequest extends NamedFilePlaces {
  readonly files: TomlFiles;
  readonly credentialsDirectory?: string | undefined;
  readonly canLackSecret?: boolean;
  /** What replaces the token, if the client certificate is the credentials of the device. */
  readonly certificate?: Secret;
}

export interface CredentialSettings {
  readonly token?: Secret;
  /** Of the token. */
  readonly tokenSource?: Source;
  readonly provisioning?: NonNullable<Config['provisioning']>;
  readonly deletedSecretFile?: string;
  /** There is a provisioning key without a secret, and the caller decides whether that is a problem. */
  readonly missingSecret?: Problem;
  /** There may be a provisioning secret that this user cannot read. */
  readonly secretHidden?: true;
  readonly warnings: readonly string[];
}

export function readCredentials(request: CredentialsRequest, reader: Reader): CredentialSettings {
  const { credentialsDirectory, certificate } = request;
  if (certificate) return withCertificate(certificate, reader);
  const { locate, credentialFiles } = request;
  const places = { locate, credentialFiles, credentialsDirectory };
  const token = findSecret(reader, DEVICE_TOKEN, { ...places, namedFile: 'required' });
  const provisioning = token.is === 'none' ? readProvisioning(request, reader) : validateUnused(reader);
  const warnings = [
    ...(token.is === 'found' ? token.warnings : []),
    ...provisioning.warnings,
    ...[DEVICE_TOKEN, PROVISIONING_SECRET].flatMap((kind) => inlineWarnings(request, kind)),
  ];
  return {
    ...provisioning,
    ...(token.is === 'found' && { token: token.secret, tokenSource: token.source }),
    warnings,
  };
}

/** The certificate is the credentials: there must be no token, and nothing to provision. */
function withCertificate(certificate: Secret, reader: Reader): CredentialSettings {
  const { key } = settings.serverCertFile;
  for (const setting of [DEVICE_TOKEN.inline, DEVICE_TOKEN.file]) {
    const source = reader.sourceOf(setting);
    const what = `is set together with ${key}: with coaps, the certificate is the credentials of the device; remove one of them`;
    if (source) reader.problems.push(problemAt(source, { what, key: setting.key }));
  }
  const unused = unusedProvisioning(reader);
  const conflict = `${key} is set together with ${unused.join(' and ')}`;
  const warning = `${conflict}: with coaps, the certificate is the credentials of the device, and the agent does not provision`;
  return { token: certificate, warnings: unused.length === 0 ? [] : [warning] };
}

function inlineWarnings({ files }: CredentialsRequest, kind: SecretKind): readonly string[] {
  return files.all
    .filter(
      ({ isWorldReadable, rawSettings }) =>
        isWorldReadable && rawSettings.some((each) => each.setting === kind.inline),
    )
    .map(({ path }) => openFileWarning(kind, path));
}

function validateUnused(reader: Reader): CredentialSettings {
  const unused = unusedProvisioning(reader);
  if (unused.length === 0) return { warnings: [] };
  const conflict = `${DEVICE_TOKEN.inline.key} is set together with ${unused.join(' and ')}`;
  return { warnings: [`${conflict}: the agent uses the token and ignores provisioning.*`] };
}

/** The keys that are set. Validates them, because the token may be removed one day. */
function unusedProvisioning(reader: Reader): readonly string[] {
  reader.last(settings.provisioningKey);
  reader.last(settings.provisioningCredentials);
  reader.last(settings.provisioningAfterSuccess);
  validateSecrets(reader, PROVISIONING_SECRET);
  return [settings.provisioningKey, PROVISIONING_SECRET.inline, PROVISIONING_SECRET.file]
    .filter((setting: Setting) => reader.isSet(setting))
    .map((setting) => setting.key);
}

function readProvisioning(request: CredentialsRequest, reader: Reader): CredentialSettings {
  const key = reader.last(settings.provisioningKey);
  const credentials = reader.lastOrDefault(settings.provisioningCredentials);
  const afterSuccess = reader.lastOrDefault(settings.provisioningAfterSuccess);
  const found = findSecret(reader, PROVISIONING_SECRET, {
    credentialsDirectory: request.credentialsDirectory,
    locate: request.locate,
    credentialFiles: request.credentialFiles,
    namedFile: afterSuccess === 'forget' || request.canLackSecret ? 'optional' : 'required',
  });
  if (found.is === 'missing' && afterSuccess === 'forget')
    return { deletedSecretFile: found.path, warnings: [] };
  if (found.is === 'missing') return { missingSecret: found.problem, warnings: [] };
  if (found.is === 'none' && key !== undefined && request.credentialsHidden)
    return { warnings: [HIDDEN_SECRET_WARNING], secretHidden: true };
  const unpaired = unpairedProblem(request, reader, found);
  if (unpaired && found.is === 'none' && request.canLackSecret)
    return { missingSecret: unpaired, warnings: [] };
  if (unpaired) reader.problems.push(unpaired);
  if (found.is !== 'found') return { warnings: [] };
  const isUndeletable = afterSuccess === 'forget' && found.path === undefined;
  const warnings = [...found.warnings, ...(isUndeletable ? [undeletableSecretWarning(reader)] : [])];
  if (key === undefined) return { warnings };
  const secretFile = found.path !== undefined && { secretFile: found.path };
  return { provisioning: { key, secret: found.secret, credentials, afterSuccess, ...secretFile }, warnings };
}

const HIDDEN_SECRET_WARNING =
  'the provisioning secret is missing or in a place that this user cannot read, such as /etc/credstore: run with sudo to check it';

function undeletableSecretWarning(reader: Reader): string {
  const source = reader.sources[PROVISIONING_SECRET.inline.key];
  return `provisioning.after-success is "forget", but the agent cannot delete the secret in ${source}: move it to a file and set provisioning.secret-file`;
}

/** The problem of a key without a secret, or of a secret without a key. */
function unpairedProblem(
  { files }: CredentialsRequest,
  reader: Reader,
  found: SecretResult,
): Problem | undefined {
  const hasKey = reader.isSet(settings.provisioningKey);
  const hasSecret = found.is !== 'none';
  if (files.all.some(({ is }) => is === 'broken') || hasKey === hasSecret) return undefined;
  const [present, missing] = hasKey
    ? [settings.provisioningKey, settings.provisioningSecretFile]
    : [settings.provisioningSecret, settings.provisioningKey];
  const { main } = files;
  const source: Source =
    main.is === 'read' ? { name: main.path, via: 'file' } : { name: variableOf(missing), via: 'environment' };
  return missingProblem(missing, source, `is missing, but ${present.key} is set`);
}
