/**
 * Removes the secrets from a configuration, so that every user may read the rest. Keeps the operator's lines and comments if the
 * secrets can be removed line by line; otherwise the configuration is written again, setting by setting.
 *
 * The caller passes the lines of the secrets, and parses the result to check that only the secrets are missing.
 */

/** A setting in the file. */
export interface TomlSetting {
  /** `provisioning.secret` */
  readonly key: string;
  readonly value: string;
  /** From 1; absent if unknown. */
  readonly line?: number | undefined;
}

export interface MovedSecret extends TomlSetting {
  /** The path of its new file. */
  readonly movedTo: string;
}

/** `name = "value"` on one line with a bare, dotted or quoted name, followed by a comment at most. */
const ONE_LINE = /^\s*[\w."'\t -]+=\s*(?:"(?:\\.|[^"\\])*"|'[^']*')\s*(?:#.*)?$/;
/** A secret in a comment, whose value is removed as well. */
const COMMENTED_SECRET = /^(\s*#.*\b(?:secret|token)\s*=).*$/;

/** Undefined if a secret is not on one line, or occurs elsewhere in the text. */
export function removeSecretLines(text: string, secrets: readonly MovedSecret[]): string | undefined {
  const lines = text.split('\n').map((line) => line.replace(COMMENTED_SECRET, '$1 …'));
  for (const { key, line = 0, movedTo } of secrets) {
    if (!ONE_LINE.test(lines[line - 1] ?? '')) return undefined;
    lines[line - 1] = `# ${nameOf(key)}: moved to ${movedTo} by firstlight import`;
  }
  const rest = lines.join('\n');
  return secrets.some(({ value }) => rest.includes(value)) ? undefined : rest;
}

/** A table `[[table.kind]]`; its fields are texts or lists of texts. */
export interface TomlListTable {
  readonly table: string;
  readonly kind: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** The settings, then the lists of tables, without comments. */
export function rewriteToml(
  settings: readonly TomlSetting[],
  listTables: readonly TomlListTable[] = [],
): string {
  return [renderTables(settings), ...listTables.map(renderListTable)]
    .filter((part) => part !== '')
    .join('\n');
}

function renderListTable({ table, kind, fields }: TomlListTable): string {
  const lines = [...fields].map(([name, value]) => `${name} = ${renderValue(value)}`);
  return [`[[${table}.${kind}]]`, ...lines, ''].join('\n');
}

function renderValue(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(renderValue).join(', ')}]` : quote(String(value));
}

function renderTables(settings: readonly TomlSetting[]): string {
  const tables = [...new Set(settings.map(({ key }) => tableOf(key)))];
  return tables
    .map((table) => {
      const members = settings.filter(({ key }) => tableOf(key) === table);
      return [`[${table}]`, ...members.map(({ key, value }) => `${nameOf(key)} = ${quote(value)}`), ''].join(
        '\n',
      );
    })
    .join('\n');
}

function tableOf(key: string): string {
  return key.slice(0, key.indexOf('.'));
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}

/** A JSON string is a TOML string, except for DEL, which JSON does not escape. */
function quote(value: string): string {
  return JSON.stringify(value).replaceAll('\x7f', '\\u007f');
}
