/**
 * `firstlight doctor --bundle`: writes a tar.gz of at most 10 MB with status, check results, journal, configuration, versions and a
 * capture of /proc and /sys. Every file is redacted: of the secrets in the configuration, in systemd's credential store and in
 * all credential records that this user can read. Sends nothing.
 */

import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EX_CANTCREAT, EX_OK } from '../../app/exit-codes.ts';
import { configFile, readableCredstore, stateDirectory } from '../../app/paths.ts';
import { collectSecrets } from '../../config/sources/collect-secrets.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { collectTokens } from '../../credentials/collect-tokens.ts';
import { Redaction } from '../../host/log/redaction.ts';
import { showConfig } from '../config/command.ts';
import { currentStatus } from '../status/command.ts';
import type { Terminal } from '../ui/terminal.ts';
import type { DoctorOptions } from './checks.ts';
import { BUNDLE_BYTES_MAX, BundleDirectory, createArchive, writeArchive } from './support-archive.ts';
import { captureHost, readServiceJournal, versionText } from './support-contents.ts';

/** The results of all checks, as text and as JSON. */
export interface Report {
  readonly text: string;
  readonly json: string;
}

interface Host {
  readonly environment: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  readonly clock: Clock;
}

const HOST = 'host';
const CONTENTS = 'CONTENTS.txt';

/** Resolves with the exit code: 0 written, 73 not. */
export async function writeBundle(options: DoctorOptions, report: Report, host: Host): Promise<number> {
  const { terminal, clock, environment } = host;
  const timestamp = new Date(clock.wallMs()).toISOString().replace(/[-:]|\.\d+/g, '');
  const title = `firstlight-support-${timestamp}`;
  const file = outputFileOf(options.bundle, `${title}.tar.gz`);
  const { redaction, unreadable } = await openRedaction(options, environment);
  await using directory = await BundleDirectory.make(redaction);
  try {
    terminal.write('collecting the support bundle …\n');
    const omissions = [
      ...unreadable.map((place) => `the search for tokens in ${place}`),
      ...(await gather(directory, options, report, host)),
    ];
    const { bytes, furtherOmissions } = await pack(directory, title, omissions, host);
    await writeArchive(file, bytes);
    for (const line of contentLines(await directory.list(), [...omissions, ...furtherOmissions]))
      terminal.write(`${line}\n`);
    terminal.write(`written to ${file} (${Math.ceil(bytes.length / 1000)} kB): ${REVIEW_NOTICE}\n`);
    return EX_OK;
  } catch (error) {
    terminal.write(`no bundle was written: ${errorMessage(error)}\n`);
    return EX_CANTCREAT;
  }
}

const REVIEW_NOTICE =
  'it contains no known secret, but it contains names and addresses of this gateway and its server; check it before you send it';

/** If the option names a directory, the file gets the default name in it. */
function outputFileOf(option: DoctorOptions['bundle'], defaultName: string): string {
  if (typeof option !== 'string') return resolve(defaultName);
  return statSync(option, { throwIfNoEntry: false })?.isDirectory()
    ? resolve(option, defaultName)
    : resolve(option);
}

async function openRedaction(options: DoctorOptions, environment: NodeJS.ProcessEnv) {
  const redaction = new Redaction();
  const { tokens, unreadable } = await collectTokens(stateDirectory(options, environment));
  const credentials = environment['CREDENTIALS_DIRECTORY'] ?? readableCredstore();
  const secrets = collectSecrets(configFile(options, environment), environment, credentials);
  for (const secret of [...secrets, ...tokens]) redaction.add(secret);
  return { redaction, unreadable };
}

/** Returns one line for each omission, with its reason. */
async function gather(
  directory: BundleDirectory,
  options: DoctorOptions,
  { text, json }: Report,
  { environment, clock, terminal }: Host,
): Promise<readonly string[]> {
  const status = await currentStatus(options, environment, clock);
  await directory.add('doctor.txt', text);
  await directory.add('doctor.json', json);
  await directory.add('status.json', `${JSON.stringify(status, undefined, 2)}\n`);
  await directory.add('versions.txt', await versionText(status.agentVersion));
  let config = '';
  await showConfig(options, { environment, out: { write: (part) => (config += part) } });
  await directory.add('config.txt', config);
  const journal = await readServiceJournal(clock, terminal.ended);
  if (journal.ok) await directory.add('journal.txt', journal.output.toString());
  const { problem } = await captureHost(join(directory.path, HOST), clock, terminal.ended);
  if (problem === undefined) await directory.cleanBelow(HOST);
  return [
    ...(journal.ok ? [] : [`journal.txt: journalctl ${journal.problem}`]),
    ...(problem === undefined ? [] : [`${HOST}: the capture of /proc and /sys ${problem}`]),
  ];
}

/** Omits the capture if the bundle is too large, because only the capture can be. */
async function pack(
  directory: BundleDirectory,
  title: string,
  omissions: readonly string[],
  { clock, terminal }: Host,
): Promise<{ readonly bytes: Buffer; readonly furtherOmissions: readonly string[] }> {
  for (const furtherOmissions of [
    [],
    [`${HOST}: the bundle would exceed ${BUNDLE_BYTES_MAX / 1_000_000} MB`],
  ]) {
    if (furtherOmissions.length > 0) await directory.remove(HOST);
    const lines = contentLines(await directory.list(), [...omissions, ...furtherOmissions]);
    await directory.add(CONTENTS, lines.map((line) => `${line}\n`).join(''));
    const archive = await createArchive(directory.path, title, clock, terminal.ended);
    if (archive.ok) return { bytes: archive.output, furtherOmissions };
    if (!archive.problem.startsWith('printed more')) throw new Error(`tar ${archive.problem}`);
  }
  throw new Error(`it would exceed ${BUNDLE_BYTES_MAX / 1_000_000} MB`);
}

/** Lists every file, but only the number of captured ones, because the capture has its own list. */
function contentLines(files: readonly string[], omissions: readonly string[]): readonly string[] {
  const hostFiles = files.filter((name) => name.startsWith(`${HOST}/`));
  const ownFiles = files.filter((name) => !hostFiles.includes(name));
  return [
    ...ownFiles.map((name) => `included: ${name}`),
    ...(hostFiles.length > 0
      ? [`included: ${HOST}/, ${hostFiles.length} files of /proc and /sys (${HOST}/FILES)`]
      : []),
    ...omissions.map((omission) => `omitted: ${omission}`),
  ];
}
