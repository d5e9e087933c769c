/**
 * The example file that the package installs, made from the table of settings. docs/reference/configuration.md and
 * firstlight.toml(5) use the same introductions.
 */

import type { CustomSensorKind } from '../core/model/custom-sensor.ts';
import { CUSTOM_SENSORS_MAX } from './custom-sensors.ts';
import { EXEC_COMMANDS_MAX } from './exec-commands.ts';
import { execCommandFields } from './schema/command-fields.ts';
import { CUSTOM_SENSOR_KINDS, customSensorFields, type Field } from './schema/custom-sensor-fields.ts';
import { attributeOf, pathOf, type Setting, variableOf } from './schema/setting.ts';
import { allSettings } from './schema/settings.ts';
import { exampleOf } from './sources/field-reader.ts';
import type { ListTableName } from './sources/list-tables.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET, type SecretKind } from './sources/secrets.ts';

const HEAD = `\
# Configuration of Firstlight, the ThingsBoard agent of this gateway.
#
# To change a setting, remove the "#" before its name. A commented line shows the default, or an
# example if the setting has no default.
# Each of these sources takes precedence over the ones before it: the defaults, this file, the files
# *.toml in the directory conf.d beside it in the order of their names, the environment variables,
# the shared attributes of the device in ThingsBoard (firstlight config show names the source).
#
# The agent reads this file when it starts and on \`systemctl reload firstlight\`. If it finds a problem
# during a reload, it keeps the previous settings. \`firstlight config check\` reports all problems.
`;

/** An introduction to each table of the file. */
export const TABLES: Readonly<Record<string, string>> = {
  server: 'The ThingsBoard server and the connection to it.',
  provisioning: `\
Provisioning key and secret of the ThingsBoard device profile. Set both.
${describeSecretSources(PROVISIONING_SECRET)}`,
  device: `\
Name of the device in ThingsBoard, and the access token of a device that already exists there.
${describeSecretSources(DEVICE_TOKEN)}`,
  telemetry:
    'How often the agent reads the sensors, which changes it reports, and how fast it sends queued readings.',
  sensors:
    'Which sensors are read, how often, and how their values are named and scaled. The command firstlight sample shows all sensors and keys.',
  update: 'When updates that the server assigns may begin.',
  outbox: 'Queue for readings that are not delivered yet: first in memory, then on the disk.',
  clock: 'Which clock the agent trusts for the timestamps of readings.',
  remote: 'What the server may change and execute on this gateway.',
  log: 'What the agent logs.',
};

function describeSecretSources({ inline, file, credential }: SecretKind): string {
  const name = pathOf(inline)[1];
  return `\
The agent uses the ${name} from the first of these sources that has one:
  1. the systemd credential ${credential} (LoadCredential=, SetCredentialEncrypted=)
  2. ${variableOf(inline)}
  3. the file named by ${variableOf(file)}
  4. the file named by ${pathOf(file)[1]}
  5. ${name}
Make a file that contains the ${name} readable by its owner only.`;
}

/** The notation of values, by type. */
export const UNITS: Partial<Readonly<Record<Setting['type'], string>>> = {
  duration: ' (500ms, 10s, 5m, 1h, 2d)',
  size: ' (KB, MB, GB: powers of 1000; KiB, MiB, GiB: powers of 1024)',
};

/** systemd/firstlight.toml: every setting, commented out, with its type, bound, default and variable; then the lists of tables. */
export function renderExample(): string {
  const tables = Object.entries(TABLES).map(([table, about]) => {
    const members = allSettings.filter((setting) => pathOf(setting)[0] === table);
    return `${toComment(about)}\n[${table}]\n${members.map(exampleLines).join('\n')}`;
  });
  return [HEAD, ...tables, renderCustomSensorExample(), renderCommandExample()].join('\n');
}

function exampleLines(setting: Setting): string {
  const about = [
    setting.meaning,
    `${setting.type}${UNITS[setting.type] ?? ''}: ${setting.bound}`,
    [
      `default: ${setting.default || 'none'}`,
      `variable: ${variableOf(setting)}`,
      ...(setting.isRemote ? [`shared attribute: ${attributeOf(setting)}`] : []),
    ].join('; '),
  ];
  const assignment = `#${pathOf(setting)[1]} = "${setting.default || setting.example}"`;
  return `${about.map(toComment).join('\n')}\n${assignment}\n`;
}

const LINE_CHARACTERS_MAX = 100;

/** Text as comment lines of the example file, wrapped at words. */
export function toComment(text: string): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '#';
    for (const word of paragraph.split(' ')) {
      if (line.length + 1 + word.length > LINE_CHARACTERS_MAX) {
        lines.push(line);
        line = '#';
      }
      line = `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.join('\n');
}

export const CUSTOM_SENSORS_INTRO = [
  'Custom sensors, one table each. A table in a later file replaces a table with the same name. Custom sensors have no environment variables.',
  'They are reported in every profile unless sensors.off names them. If one fails, the agent logs the failure once, and all other sensors continue.',
].join(' ');
const SENSOR_INTROS: Readonly<Record<CustomSensorKind, readonly string[]>> = {
  exec: [
    'A program that the agent runs at an interval. Each reading contains its last values. It prints one JSON object, lines of key=value, or a single number: at most 16 KiB and 32 values. A value is a number, true, false, or a text of up to 128 characters.',
    'The program runs without a shell and without input, with PATH and LANG as its environment. At most four programs run at once. It runs as the user of the agent and can read the credentials: name only programs you trust.',
    'It can read files that are readable by every user, use the network, and write to a private /tmp and the state directory. It has no access to devices and home directories, gains no privileges, and cannot run files in /var, /run or /tmp. To grant more, use a drop-in (systemctl edit firstlight), for example:',
    '  [Service]',
    '  PrivateDevices=no',
    '  DeviceAllow=/dev/i2c-1 rw',
    '  SupplementaryGroups=i2c',
  ],
  file: ['A number in a file, for example of a driver in /sys.'],
  gpio: [
    'A GPIO line, read with gpioget (apt install gpiod). The service needs a drop-in for it (systemctl edit firstlight):',
    '  [Service]',
    '  PrivateDevices=no',
    '  DeviceAllow=char-gpiochip rw',
    '  SupplementaryGroups=gpio',
  ],
};

export interface ListTableSection {
  readonly kind: CustomSensorKind;
  readonly about: string;
  readonly fields: readonly Field[];
}

export const CUSTOM_SENSOR_SECTIONS: readonly ListTableSection[] = CUSTOM_SENSOR_KINDS.map((kind) => ({
  kind,
  about: [...SENSOR_INTROS[kind], `At most ${CUSTOM_SENSORS_MAX[kind]} tables of this type.`].join('\n'),
  fields: Object.values(customSensorFields[kind]),
}));

/** The section of [[command.exec]]. */
export const COMMAND_SECTION: ListTableSection = {
  kind: 'exec',
  about: [
    'A command of your own, one table each: the server runs the program by an RPC with the method name, and gets what it prints as {"output": "…"}. The table itself allows it. A table in a later file replaces a table with the same name.',
    'The program runs as the programs of custom sensors do: without a shell and without input, as the user of the agent, with PATH and LANG as its environment. Values of the server are arguments, checked by the patterns; a pattern that allows a leading hyphen lets the server pass options.',
    `At most ${EXEC_COMMANDS_MAX} tables.`,
  ].join('\n'),
  fields: Object.values(execCommandFields),
};

/** Its bound, and its default or that it is required. */
function describeField(field: Field): string {
  const isRequired = field.isOptional === undefined && field.default === undefined;
  return `${field.bound}; ${isRequired ? 'required' : `default: ${field.default ?? 'none'}`}`;
}

function renderCustomSensorExample(): string {
  const sections = CUSTOM_SENSOR_SECTIONS.map((section) => renderSection('sensor', section));
  return [toComment(CUSTOM_SENSORS_INTRO), '', ...sections].join('\n');
}

function renderCommandExample(): string {
  return renderSection('command', COMMAND_SECTION);
}

function renderSection(table: ListTableName, { kind, about, fields }: ListTableSection): string {
  const lines = fields.map(
    (field) => `${toComment(`${field.meaning}\n${describeField(field)}`)}\n#${exampleOf(field)}`,
  );
  return `${toComment(about)}\n#[[${table}.${kind}]]\n${lines.join('\n')}\n`;
}
