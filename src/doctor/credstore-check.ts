/**
 * Checks that a secret in the credential store of systemd reaches the service. A drop-in for all services, as some
 * container runtimes write, can clear ImportCredential= of the unit: the operator has stored the secret, and the
 * agent has none.
 */

import { type Check, type CheckResult, fail, pass } from './check.ts';

export interface StoredSecret {
  readonly name: CredentialName;
  /** Such as `/etc/credstore/firstlight.secret`. */
  readonly path: string;
}

export interface CredstoreReport {
  /** The unit and its drop-ins (`systemctl cat`); undefined without systemd. */
  readonly unitFiles: string | undefined;
  readonly canImportCredentials: boolean;
  /** Names in the credentials directory of the running service; undefined if it does not run. */
  readonly passedNames: readonly string[] | undefined;
  /** The agent has a secret or token from another place. */
  readonly hasOtherSource: boolean;
}

export function credstoreCheck(
  secrets: readonly StoredSecret[],
  inspect: (signal: AbortSignal) => Promise<CredstoreReport>,
): Check {
  return { name: 'credential store', run: async (signal) => checkSecrets(secrets, await inspect(signal)) };
}

function checkSecrets(secrets: readonly StoredSecret[], report: CredstoreReport): CheckResult {
  const paths = (list: readonly StoredSecret[]) => list.map(({ path }) => path).join(' and ');
  const settings = parseCredentialSettings(report.unitFiles ?? '', report.canImportCredentials);
  const withheld = secrets.filter(({ name }) =>
    report.passedNames ? !report.passedNames.includes(name) : !settings.passes(name),
  );
  if (report.unitFiles === undefined || withheld.length === 0)
    return pass(`${paths(secrets)} ${secrets.length === 1 ? 'is' : 'are'} passed to the service`);
  const observed = `${paths(withheld)} ${withheld.length === 1 ? 'exists' : 'exist'}, but systemd does not pass ${withheld.length === 1 ? 'it' : 'them'} to the service${reasonOf(report, settings)}`;
  if (report.hasOtherSource) return pass(`${observed}; the agent has its secret from another place`);
  return fail(
    observed,
    'the agent lacks a secret, token or key that is stored on this host',
    withheld.map(remedyOf).join(' '),
  );
}

/** For each credential, the setting and the file that can replace it. */
const REPLACEMENTS = {
  'firstlight.secret': ['provisioning.secret-file', '/etc/firstlight/secret'],
  'firstlight.token': ['device.token-file', '/etc/firstlight/token'],
  'firstlight.key': ['server.key-file', '/etc/firstlight/client.key'],
} as const;
export type CredentialName = keyof typeof REPLACEMENTS;
export const CREDENTIAL_NAMES = Object.keys(REPLACEMENTS) as readonly CredentialName[];

/** The way out: a file of its own for the agent, which its user can read. */
function remedyOf({ name, path }: StoredSecret): string {
  const [key, file] = REPLACEMENTS[name];
  const copy = path.includes('.encrypted/')
    ? `write the output of "sudo systemd-creds decrypt ${path}" to ${file} (owner root, group firstlight, mode 640)`
    : `give the agent a file of its own: sudo install -o root -g firstlight -m 640 ${path} ${file}`;
  return `${copy}; set ${key} = "${file}"; then: sudo systemctl restart firstlight`;
}

function reasonOf(
  { canImportCredentials, passedNames }: CredstoreReport,
  settings: CredentialSettings,
): string {
  if (settings.clearedBy !== undefined) return `: ${settings.clearedBy} clears ImportCredential=`;
  if (!canImportCredentials) return ': this systemd is older than 254 and has no ImportCredential=';
  return passedNames ? ': the credentials directory of the service does not contain it' : '';
}

export interface CredentialSettings {
  passes(name: string): boolean;
  /** The file that cleared ImportCredential= last, if nothing has set it again. */
  readonly clearedBy: string | undefined;
}

const NAMED_CREDENTIAL = /^(LoadCredential|LoadCredentialEncrypted|SetCredential|SetCredentialEncrypted)$/;

/** Of the text of `systemctl cat`. An empty assignment clears the list of that setting. */
export function parseCredentialSettings(
  unitFiles: string,
  canImportCredentials: boolean,
): CredentialSettings {
  let file = '';
  let clearedBy: string | undefined;
  const lists = new Map<string, string[]>();
  for (const line of unitFiles.split('\n')) {
    const path = /^# (\/\S+)$/.exec(line)?.[1];
    if (path !== undefined) file = path;
    const [, key = '', value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== 'ImportCredential' && !NAMED_CREDENTIAL.test(key)) continue;
    lists.set(key, value === '' ? [] : [...(lists.get(key) ?? []), value]);
    if (key === 'ImportCredential') clearedBy = value === '' ? file : undefined;
  }
  const imported = canImportCredentials ? (lists.get('ImportCredential') ?? []) : [];
  const named = [...lists].filter(([key]) => NAMED_CREDENTIAL.test(key)).flatMap(([, values]) => values);
  return {
    clearedBy,
    passes: (name) =>
      imported.some((glob) => matches(glob, name)) || named.some((value) => value.split(':')[0] === name),
  };
}

/** systemd allows `*` at the end of the glob only, and a colon with another name behind it. */
function matches(glob: string, name: string): boolean {
  const [pattern = ''] = glob.split(':');
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
