/**
 * Takes the secrets out of a configuration, so that what is left may be read by everybody: as text, with the operator's own
 * lines and comments, where that can be done line by line; else written anew, setting by setting.
 *
 * Whoever calls has parsed the text and says where the secrets stand; and parses what comes out, to see that nothing but
 * the secrets is gone. Comments that look like a secret taken out of use lose their value too.
 */

/** One setting as the file has it. */
export interface TomlSetting {
  /** `provisioning.secret` */
  readonly key: string;
  readonly value: string;
  /** From 1; where the file does not tell, absent. */
  readonly line?: number | undefined;
}

export interface MovedSecret extends TomlSetting {
  /** Where it will be found from now on. */
  readonly movedTo: string;
}

/** `name = "value"` on one line, bare or dotted or quoted, with nothing behind it but a comment. */
const ONE_LINE = /^\s*[\w."'\t -]+=\s*(?:"(?:\\.|[^"\\])*"|'[^']*')\s*(?:#.*)?$/;
const COMMENTED_SECRET = /^(\s*#.*\b(?:secret|token)\s*=).*$/;

/** Undefined when it cannot be done by lines, or a secret would still be somewhere in the text. */
export function removeSecretLines(text: string, secrets: readonly MovedSecret[]): string | undefined {
  const lines = text.split('\n').map((line) => line.replace(COMMENTED_SECRET, '$1 …'));
  for (const { key, line = 0, movedTo } of secrets) {
    if (!ONE_LINE.test(lines[line - 1] ?? '')) return undefined;
    lines[line - 1] = `# ${nameOf(key)}: is in ${movedTo}, where firstlight import has put it`;
  }
  const rest = lines.join('\n');
  return secrets.some(({ value }) => rest.includes(value)) ? undefined : rest;
}

/** One `[[sensor.kind]]`; its fields are texts or lists of texts. */
export interface TomlSensor {
  readonly kind: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** The same settings in their plainest form, then the sensors of the operator's own; comments are lost. */
export function rewriteToml(settings: readonly TomlSetting[], sensors: readonly TomlSensor[] = []): string {
  return [tablesOf(settings), ...sensors.map(sensorLines)].filter((part) => part !== '').join('\n');
}

function sensorLines({ kind, fields }: TomlSensor): string {
  const lines = [...fields].map(([name, value]) => `${name} = ${tomlValue(value)}`);
  return [`[[sensor.${kind}]]`, ...lines, ''].join('\n');
}

function tomlValue(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(tomlValue).join(', ')}]` : quote(String(value));
}

function tablesOf(settings: readonly TomlSetting[]): string {
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

/** JSON's strings are TOML's, but for one control character that JSON leaves bare. */
function quote(value: string): string {
  return JSON.stringify(value).replaceAll('\x7f', '\\u007f');
}
