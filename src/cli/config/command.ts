/**
 * `firstlight config`: `check` reports every problem, `show` each effective value and its source, `explain` one setting. Uses no
 * network and shows no secret. Exit codes: 0 valid, 78 (EX_CONFIG) with problems, 64 (EX_USAGE) for an unknown setting.
 */

import { join } from 'node:path';
import { EX_CONFIG, EX_OK, EX_USAGE } from '../../app/exit-codes.ts';
import {
  configFile,
  type PathOptions,
  readableCredstore,
  readServiceConfig,
  type ServiceConfig,
  stateDirectory,
} from '../../app/paths.ts';
import { REMOTE_SETTINGS_FILE } from '../../app/remote/settings-file.ts';
import { rejectedSentences } from '../../app/remote/settings-problems.ts';
import { nearestWord } from '../../config/errors/nearest-word.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import { attributeOf, type Setting, variableOf } from '../../config/schema/setting.ts';
import { allSettings } from '../../config/schema/settings.ts';
import { ATTRIBUTE_SOURCE } from '../../config/shared-attributes.ts';
import { utcText } from '../../host/log/log-line.ts';
import type { Out } from '../ui/terminal.ts';

export interface ConfigOptions extends PathOptions {
  readonly json?: boolean;
}

interface Host {
  readonly environment: NodeJS.ProcessEnv;
  readonly out: Out;
}

const UNREADABLE_CREDSTORE =
  'note: /etc/credstore is not readable by this user and may contain the secret; run with sudo to check it';

export function checkConfig(options: ConfigOptions, host: Host): Promise<number> {
  return withConfig(options, host, (config, writeLine) => {
    const { loaded } = config;
    for (const warning of loaded.warnings) writeLine(`warning: ${warning}`);
    for (const { problem } of loaded.remote.refused)
      writeLine(`warning: ${problem.sentence}; it does not count`);
    writeLine(`${configFile(options, host.environment)}: valid`);
    if (loaded.config.provisioning === undefined && loaded.config.device.token === undefined)
      writeLine(
        'note: there is no provisioning key and no token: the agent can start only if it already has credentials',
      );
    for (const note of remoteNotes(config, stateDirectory(options, host.environment))) writeLine(note);
  });
}

export function showConfig(options: ConfigOptions, host: Host): Promise<number> {
  return withConfig(options, host, (config, writeLine) => {
    const { values } = config.loaded;
    const sources = sourcesWithTimes(config);
    if (options.json) return writeLine(JSON.stringify({ values, sources }, undefined, 2));
    const rows = allSettings
      .map(({ key }) => [key, values[key] ?? '–', sources[key] ?? 'not set'] as const)
      .sort(([one], [other]) => orderOf(one) - orderOf(other));
    const width = (column: 0 | 1) => Math.min(44, Math.max(...rows.map((row) => row[column].length)));
    const [keys, texts] = [width(0), width(1)];
    for (const [key, text, source] of rows)
      writeLine(`${key.padEnd(keys)}  ${text.padEnd(texts)}  ${source}`);
    if (config.stored.isForbidden) writeLine(unreadableNote(stateDirectory(options, host.environment)));
  });
}

export async function explainConfig(key: string, options: ConfigOptions, host: Host): Promise<number> {
  const writeLine = lineWriter(host.out);
  const setting = allSettings.find((each) => each.key === key);
  if (setting === undefined) {
    const nearestKey = nearestWord(
      key,
      allSettings.map((each) => each.key),
    );
    writeLine(
      `there is no setting ${JSON.stringify(key)}${nearestKey === undefined ? '' : `; did you mean ${nearestKey}?`}`,
    );
    writeLine('run firstlight config show to list all settings');
    return EX_USAGE;
  }
  for (const line of settingLines(setting)) writeLine(line);
  return withConfig(options, host, (config) => {
    const source = sourcesWithTimes(config)[key] ?? 'no default';
    writeLine(`now        ${config.loaded.values[key] ?? 'not set'} (${source})`);
  });
}

function settingLines(setting: Setting): readonly string[] {
  const { key, meaning, type, bound, example } = setting;
  return [
    key,
    `  ${meaning}`,
    `type       ${type}: ${bound}`,
    `default    ${setting.default === undefined || setting.default === '' ? 'none' : setting.default}`,
    `example    ${key.slice(key.indexOf('.') + 1)} = ${JSON.stringify(example)} below [${key.slice(0, key.indexOf('.'))}]`,
    `variable   ${variableOf(setting)}`,
    ...(setting.isRemote ? [`attribute  ${attributeOf(setting)} (shared attribute in ThingsBoard)`] : []),
  ];
}

/** A value of the server with the time of its change. */
function sourcesWithTimes({ loaded, record }: ServiceConfig): Readonly<Record<string, string>> {
  const entries = Object.entries(loaded.sources).map(([key, source]) => {
    const since = source.startsWith(ATTRIBUTE_SOURCE) ? record.confirmed.get(key)?.sinceMs : undefined;
    return [key, since === undefined ? source : `${source}, since ${utcText(new Date(since))}`] as const;
  });
  return Object.fromEntries(entries);
}

/** What the file with the settings of the server means. */
function remoteNotes(config: ServiceConfig, state: string): readonly string[] {
  const { loaded, record, stored } = config;
  const sources = sourcesWithTimes(config);
  const set = Object.keys(sources).filter((key) => sources[key]?.startsWith(ATTRIBUTE_SOURCE));
  const isUnused = !loaded.config.remote.settings && record.confirmed.size > 0;
  return [
    ...set.map(
      (key) => `note: ${key} = ${loaded.values[key]} comes from the ${sources[key]}, which takes precedence`,
    ),
    ...rejectedSentences(record.rejected).map((sentence) => `note: ${sentence}`),
    ...(isUnused ? ['note: remote.settings is "off", so stored settings of the server do not count'] : []),
    ...(stored.isForbidden ? [unreadableNote(state)] : []),
    ...(stored.problem !== undefined && !stored.isForbidden
      ? [
          `note: ${join(state, REMOTE_SETTINGS_FILE)} ${stored.problem}, so settings of the server do not count`,
        ]
      : []),
  ];
}

function unreadableNote(state: string): string {
  return `note: the settings of the server in ${state} are not readable by this user: run with sudo to see them`;
}

/** Loads the configuration for `operation`, or reports all its problems. */
async function withConfig(
  options: ConfigOptions,
  { environment, out }: Host,
  operation: (config: ServiceConfig, writeLine: (line: string) => void) => void,
): Promise<number> {
  const writeLine = lineWriter(out);
  try {
    operation(await readServiceConfig(options, environment), writeLine);
    return EX_OK;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { sentence } of error.problems) writeLine(sentence);
    if (readableCredstore() === undefined) writeLine(UNREADABLE_CREDSTORE);
    return EX_CONFIG;
  }
}

const KEYS = allSettings.map(({ key }) => key);

/** The order of the settings table, as in the documentation. */
function orderOf(key: string): number {
  return KEYS.indexOf(key);
}

function lineWriter(out: Out): (line: string) => void {
  return (line) => void out.write(`${line}\n`);
}
