/**
 * `firstlight config`: `check` reports every problem, `show` each effective value and its source, `explain` one setting. Uses no
 * network and shows no secret. Exit codes: 0 valid, 78 (EX_CONFIG) with problems, 64 (EX_USAGE) for an unknown setting.
 */

import { EX_CONFIG, EX_OK, EX_USAGE } from '../../app/exit-codes.ts';
import { configFile, readableCredstore, readServiceConfig } from '../../app/paths.ts';
import { nearestWord } from '../../config/errors/nearest-word.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { type Setting, variableOf } from '../../config/schema/setting.ts';
import { allSettings } from '../../config/schema/settings.ts';
import type { Out } from '../ui/terminal.ts';

export interface ConfigOptions {
  readonly config?: string;
  readonly json?: boolean;
}

interface Host {
  readonly environment: NodeJS.ProcessEnv;
  readonly out: Out;
}

const UNREADABLE_CREDSTORE =
  'note: /etc/credstore is not readable by this user and may contain the secret; run with sudo to check it';

export function checkConfig(options: ConfigOptions, host: Host): number {
  return withConfig(options, host, (loaded, writeLine) => {
    for (const warning of loaded.warnings) writeLine(`warning: ${warning}`);
    writeLine(`${configFile(options, host.environment)}: valid`);
    if (loaded.config.provisioning === undefined && loaded.config.device.token === undefined)
      writeLine(
        'note: there is no provisioning key and no token: the agent can start only if it already has credentials',
      );
  });
}

export function showConfig(options: ConfigOptions, host: Host): number {
  return withConfig(options, host, ({ values, sources }, writeLine) => {
    if (options.json) return writeLine(JSON.stringify({ values, sources }, undefined, 2));
    const rows = allSettings
      .map(({ key }) => [key, values[key] ?? '–', sources[key] ?? 'not set'] as const)
      .sort(([one], [other]) => orderOf(one) - orderOf(other));
    const width = (column: 0 | 1) => Math.min(44, Math.max(...rows.map((row) => row[column].length)));
    const [keys, texts] = [width(0), width(1)];
    for (const [key, text, source] of rows)
      writeLine(`${key.padEnd(keys)}  ${text.padEnd(texts)}  ${source}`);
  });
}

export function explainConfig(key: string, options: ConfigOptions, host: Host): number {
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
  return withConfig(options, host, ({ values, sources }) => {
    writeLine(`now        ${values[key] ?? 'not set'} (${sources[key] ?? 'no default'})`);
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
  ];
}

/** Loads the configuration for `operation`, or reports all its problems. */
function withConfig(
  options: ConfigOptions,
  { environment, out }: Host,
  operation: (loaded: LoadedConfig, writeLine: (line: string) => void) => void,
): number {
  const writeLine = lineWriter(out);
  try {
    operation(readServiceConfig(options, environment), writeLine);
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
