/**
 * Settings that the server has set, as a source above files and variables. A value that is invalid, alone or together with the
 * local configuration, is refused alone: the local configuration stays valid, and the other values count.
 */

import * as v from 'valibot';
import { type Config, isEncryptedScheme, type ServerAddress } from '../core/model/config.ts';
import type { Problem } from './errors/problem.ts';
import { attributeOf, type Setting } from './schema/setting.ts';
import { remoteSettings, settings } from './schema/settings.ts';
import { attributeSource, valueProblem } from './shared-attributes.ts';
import type { RawSetting, Reader } from './sources/reader.ts';

export interface RemoteValue {
  /** Of a setting that may be remote. */
  readonly key: string;
  readonly text: string;
}

export interface RemoteSource {
  /** Several values of a key: the last one that is not refused counts. */
  readonly values: readonly RemoteValue[];
  /** Every URL in use is encrypted: a list with an unencrypted one is refused. */
  readonly isEncryptedOnly?: boolean;
}

export interface RefusedValue extends RemoteValue {
  readonly problem: Problem;
}

export interface RemoteResult {
  readonly refused: readonly RefusedValue[];
  /** By attribute, the text of every setting that may be remote, whatever its source. */
  readonly effective: ReadonlyMap<string, string>;
}

/** A configuration that was assembled from raw settings; absent if the reader has problems. */
export interface Assembly<T> {
  readonly loaded?: T;
  readonly reader: Reader;
}

interface Candidate extends RawSetting {
  readonly value: RemoteValue;
}

/** `local`: assembled without the server's values, and valid. */
export function applyRemoteValues<T extends { readonly config: Config }>(
  { values, isEncryptedOnly = false }: RemoteSource,
  local: T,
  assemble: (remote: readonly RawSetting[]) => Assembly<T>,
): { readonly loaded: T; readonly remote: RemoteResult } {
  const refused: RefusedValue[] = [];
  const refuse = (value: RemoteValue, problem: Problem) => void refused.push({ ...value, problem });
  let candidates = values.flatMap((value): readonly Candidate[] => {
    const setting = remoteSettings.find(({ key }) => key === value.key);
    if (!setting) return [];
    const problem = problemAlone(setting, value, { ...local.config, isEncryptedOnly });
    if (problem) refuse(value, problem);
    return problem
      ? []
      : [{ value, setting, raw: value.text, source: attributeSource(attributeOf(setting)) }];
  });
  for (;;) {
    const { loaded, reader } = assemble(candidates);
    if (loaded) return { loaded, remote: { refused, effective: effectiveTexts(reader) } };
    // A local file changed just now: the caller keeps what was valid.
    if (candidates.length === 0) return { loaded: local, remote: { refused, effective: new Map() } };
    const culprits = findCulprits(candidates, reader.problems);
    for (const [{ value }, problem] of culprits) refuse(value, problem);
    candidates = candidates.filter((candidate) => !culprits.has(candidate));
  }
}

export function effectiveTexts({ texts }: Pick<Reader, 'texts'>): ReadonlyMap<string, string> {
  return new Map(remoteSettings.map((setting) => [attributeOf(setting), texts[setting.key] ?? '']));
}

/** The values that a problem names, or, if the problems name none, all of them: the local configuration is valid. */
function findCulprits(
  candidates: readonly Candidate[],
  problems: readonly Problem[],
): ReadonlyMap<Candidate, Problem> {
  const culprits = new Map<Candidate, Problem>();
  for (const problem of problems) {
    const culprit = candidates.findLast(({ source }) => source.name === problem.source);
    if (culprit) culprits.set(culprit, problem);
  }
  if (culprits.size > 0) return culprits;
  const what = 'does not fit the configuration of the gateway';
  return new Map(
    candidates.map((each) => [each, valueProblem(each.setting, each.value.text, what)] as const),
  );
}

interface Surroundings extends Pick<Config, 'server'> {
  readonly isEncryptedOnly: boolean;
}

function problemAlone(setting: Setting, { text }: RemoteValue, around: Surroundings): Problem | undefined {
  const result = v.safeParse(setting.schema, text, { abortPipeEarly: true });
  const what = result.success
    ? setting === settings.serverUrl && describeDowngrade(v.parse(settings.serverUrl.schema, text), around)
    : result.issues[0].message;
  return what ? valueProblem(setting, text, what) : undefined;
}

/** Undefined if the list leaves no data less protected than before. */
function describeDowngrade(
  endpoints: readonly ServerAddress[],
  { server, isEncryptedOnly }: Surroundings,
): string | undefined {
  if (isEncrypted(endpoints)) return undefined;
  if (isEncryptedOnly) return 'contains an unencrypted URL, but every URL in use is encrypted';
  if (isEncrypted(server.endpoints))
    return 'contains an unencrypted URL, but every URL in the configuration of the gateway is encrypted';
  return server.tls.pins.length > 0
    ? 'contains an unencrypted URL, which server.pin-sha256 of the gateway cannot protect'
    : undefined;
}

export function isEncrypted(endpoints: readonly ServerAddress[]): boolean {
  return endpoints.every(({ scheme }) => isEncryptedScheme(scheme));
}
