/**
 * The check that an import makes of a person's file: the loader of the agent itself, and whether a gateway could get in with
 * it; then the split into a configuration that all may read and secrets that only root may.
 *
 * The loader reads files, so the text lies in a private scratch directory meanwhile, which under systemd is in memory. The
 * variables of whoever runs the import do not count: the service does not have them.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SENSOR_NAMES } from '../../app/sensor-names.ts';
import { ConfigError, type Problem } from '../../config/errors/problem.ts';
import { type Loaded, loadConfig } from '../../config/load.ts';
import { settings } from '../../config/schema/settings.ts';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from '../../config/sources/secrets.ts';
import { readTomlFile } from '../../config/sources/toml-file.ts';
import type { NotedProblem } from '../../image/error-note.ts';
import type { Checked } from '../../image/import-file.ts';
import { type GivenSetting, withoutSecretLines, writtenAnew } from '../../image/split-secrets.ts';

export interface CheckPlaces {
  /** Where the agent's configuration is: firstlight.toml, and its drop-ins in conf.d. */
  readonly directory: string;
  /** Which of the drop-ins the text will be. */
  readonly config: string;
  /** Where secrets will be: systemd's credential store. */
  readonly credstore: string;
  /** Credentials that the service will have whatever is in the file. */
  readonly credentials: string;
  /** Only for as long as the check takes. */
  readonly scratch: string;
}

const KINDS = [PROVISIONING_SECRET, DEVICE_TOKEN];
const MAIN = 'firstlight.toml';
const DROP_INS = 'conf.d';
const PUBLIC = 0o644;
const SECRET = 0o600;
const SECRET_BYTES_MAX = 4 * 1024;

export function checkText(text: string, places: CheckPlaces): Checked {
  const scratch = mkdtempSync(join(places.scratch, 'firstlight-import-'));
  const file = join(scratch, DROP_INS, basename(places.config));
  try {
    const main = besideOthers(scratch, places);
    writeFileSync(file, text, { mode: SECRET });
    const given = givenIn(file);
    const own = KINDS.filter((kind) => given.some(({ key }) => key === kind.inline.key));
    // What an earlier import has left is going to be replaced, and must not be taken for this file's.
    const loaded = load({ main, file }, own.length > 0 ? undefined : places.credentials);
    const shown = (sentence: string) => sentence.replaceAll(scratch, places.directory);
    if (Array.isArray(loaded)) {
      return { ok: false, problems: loaded.map(({ line, text }) => ({ line, text: shown(text) })) };
    }
    const secrets = own.map(({ inline, credential }) => ({
      path: join(places.credstore, credential),
      bytes: Buffer.from(given.find(({ key }) => key === inline.key)?.value ?? ''),
      mode: SECRET,
    }));
    const stale = KINDS.filter((kind) => own.length > 0 && !own.includes(kind)).map(({ credential }) =>
      join(places.credstore, credential),
    );
    const bytes = Buffer.from(split(text, given, { file, credstore: places.credstore }));
    const warnings = [...loaded.warnings.map(shown), ...(own.length > 0 ? overruling(places) : [])];
    return { ok: true, config: { path: places.config, bytes, mode: PUBLIC }, secrets, stale, warnings };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Puts what else the agent will read into the scratch directory, as links. Returns the path of its firstlight.toml there. */
function besideOthers(scratch: string, { directory, config }: CheckPlaces): string {
  const dropIns = join(directory, DROP_INS);
  mkdirSync(join(scratch, DROP_INS), { mode: 0o700 });
  for (const name of existsSync(dropIns) ? readdirSync(dropIns) : []) {
    const path = join(dropIns, name);
    if (path !== config) symlinkSync(path, join(scratch, DROP_INS, name));
  }
  const main = join(scratch, MAIN);
  if (existsSync(join(directory, MAIN))) symlinkSync(join(directory, MAIN), main);
  else writeFileSync(main, '');
  return main;
}

/** What systemd hands over by a way of its own (SMBIOS, kernel command line) wins over the credential store. */
function overruling({ credentials, credstore }: CheckPlaces): readonly string[] {
  return KINDS.filter(({ credential }) => {
    const passed = readTextFile(join(credentials, credential), SECRET_BYTES_MAX);
    const stored = readTextFile(join(credstore, credential), SECRET_BYTES_MAX);
    return passed.is === 'text' && !(stored.is === 'text' && stored.text === passed.text);
  }).map(
    ({ credential }) =>
      `systemd hands over another ${credential}, by SMBIOS, the kernel command line or the container's manager: it wins over what is imported`,
  );
}

/** True for a configuration in which somebody has set something. */
export function setsSomething(path: string): boolean {
  const file = readTomlFile(path);
  return file.is === 'broken' || file.given.length > 0 || file.own.length > 0;
}

/** The configuration, or everything that is wrong with it. */
function load(
  { main, file }: { readonly main: string; readonly file: string },
  credentialsDirectory: string | undefined,
): Loaded | NotedProblem[] {
  try {
    const loaded = loadConfig({
      file: main,
      fileRequired: true,
      environment: {},
      credentialsDirectory,
      names: SENSOR_NAMES,
    });
    return loaded.config.provisioning || loaded.config.device.token ? loaded : [noWayIn()];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => noted(problem, file));
    throw error;
  }
}

function noWayIn(): NotedProblem {
  const { provisioningKey: key, provisioningSecret: secret } = settings;
  return {
    text: `the gateway has no way to get in: set ${key.key} and ${secret.key} of the device profile; example: [provisioning] key = "${key.example}" secret = "${secret.example}"`,
  };
}

/** Without the scratch file's path, which means nothing to the person. */
function noted({ source, line, sentence }: Problem, file: string): NotedProblem {
  if (source !== file) return { text: sentence };
  const place = line === undefined ? file : `${file}:${line}`;
  const text = sentence.startsWith(`${place}: `) ? sentence.slice(place.length + 2) : sentence;
  return { line, text: text.replaceAll(file, 'the file') };
}

function givenIn(file: string): readonly GivenSetting[] {
  return readTomlFile(file).given.map(({ setting, raw, source }) => ({
    key: setting.key,
    value: String(raw),
    line: source.line,
  }));
}

function split(
  text: string,
  given: readonly GivenSetting[],
  { file, credstore }: { readonly file: string; readonly credstore: string },
): string {
  const kindOf = ({ key }: GivenSetting) => KINDS.find(({ inline }) => inline.key === key);
  const open = given.filter((setting) => kindOf(setting) === undefined);
  const secrets = given.flatMap((setting) => {
    const kind = kindOf(setting);
    return kind === undefined ? [] : [{ ...setting, movedTo: join(credstore, kind.credential) }];
  });
  const anew = writtenAnew(open, readTomlFile(file).own);
  const lines = withoutSecretLines(text, secrets);
  if (lines === undefined) return anew;
  writeFileSync(file, lines);
  return isSame(givenIn(file), open) ? lines : anew;
}

function isSame(one: readonly GivenSetting[], other: readonly GivenSetting[]): boolean {
  const plain = (settings: readonly GivenSetting[]) =>
    settings.map(({ key, value }) => `${key}=${value}`).sort();
  return JSON.stringify(plain(one)) === JSON.stringify(plain(other));
}
