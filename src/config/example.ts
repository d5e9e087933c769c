/**
 * The example file that the package installs, made from the table of settings. docs/reference/configuration.md and
 * firstlight.toml(5) use the same introductions.
 */

import type { CustomSensorKind } from '../core/model/custom-sensor.ts';
import { CUSTOM_SENSORS_MAX, exampleOf } from './custom-sensors.ts';
import { CUSTOM_SENSOR_KINDS, customSensorFields, type Field } from './schema/custom-sensor-fields.ts';
import { pathOf, type Setting, variableOf } from './schema/setting.ts';
import { allSettings } from './schema/settings.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET, type SecretKind } from './sources/secrets.ts';

const HEAD = `\
# Firstlight: what this gateway reports, where to and how. Read at start, and again by
# \`systemctl reload firstlight\`, which keeps to the old settings if it finds a problem in the new ones.
#
# Take the "#" away from a line that begins with "#name =" to set it. Lines left as they are show the
# built-in value, or an example where there is none.
# Later wins: built-in values, this file, the files *.toml in the directory conf.d beside it in the
# order of their names, the variable named beside each setting.
`;

/** An introduction to each table of the file. */
export const TABLES: Readonly<Record<string, string>> = {
  server: 'Where the readings go.',
  provisioning: `\
How a gateway without credentials gets them: the pair of its device profile. Key and secret go together.
${describeSecretSources(PROVISIONING_SECRET)}`,
  device: `\
What the gateway is called, and the access token of one whose device is on the server already.
${describeSecretSources(DEVICE_TOKEN)}`,
  telemetry:
    'How often the sensors are read, what of that is reported, and how fast what waited is caught up.',
  sensors:
    'Which of all the sensors are read, how often, and how their values are named; firstlight sample shows them.',
  outbox: 'Where readings wait while the server is away: in memory first, then on the disk.',
  clock: 'When a reading gets its date.',
  log: 'What the journal gets.',
};

function describeSecretSources({ inline, file, credential }: SecretKind): string {
  const name = pathOf(inline)[1];
  const second = `2. ${variableOf(inline)}`.padEnd(38);
  const fourth = `4. the file named by ${pathOf(file)[1]}`.padEnd(38);
  return `\
The ${name} may lie in five places. The first of these counts:
  1. ${credential} among systemd's credentials (LoadCredential=, SetCredentialEncrypted=)
  ${second}3. the file named by ${variableOf(file)}
  ${fourth}5. ${name}
A file with the ${name} in it should be readable by its owner only.`;
}

/** How values of a type are written, where the type's name does not say it. */
export const UNITS: Partial<Readonly<Record<Setting['type'], string>>> = {
  duration: ' (500ms, 10s, 5m, 1h, 2d)',
  size: ' (KB, MB, GB of 1000; KiB, MiB, GiB of 1024)',
};

/** systemd/firstlight.toml: every key, commented out, with its unit, default and bound; then an example of each own sensor. */
export function renderExample(): string {
  const tables = Object.entries(TABLES).map(([table, about]) => {
    const members = allSettings.filter((setting) => pathOf(setting)[0] === table);
    return `${toComment(about)}\n[${table}]\n${members.map(exampleLines).join('\n')}`;
  });
  return [HEAD, ...tables, renderCustomSensorExample()].join('\n');
}

function exampleLines(setting: Setting): string {
  const about = [
    setting.meaning,
    `${setting.type}${UNITS[setting.type] ?? ''}: ${setting.bound}`,
    `default: ${setting.default || 'none'}; variable: ${variableOf(setting)}`,
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
  'Sensors of your own, each one table; a later file replaces one of the same name. They have no variables.',
  'They are reported in every profile, unless sensors.off names them. One that fails is named in the journal, once, and costs the others nothing.',
].join(' ');
const SENSOR_INTROS: Readonly<Record<CustomSensorKind, readonly string[]>> = {
  exec: [
    'A program, run at its interval beside the sampling; its last values go into each reading. It prints one JSON object, or lines of key=value, or a number alone: 16 KiB and 32 values at most, which are numbers, true and false, and texts of up to 128 characters.',
    "It gets no shell, no input, and PATH and LANG for an environment; four run at once. Inside the service it may do what the agent may: read what everybody may read, and talk to the network. It writes only to a /tmp of its own and the state directory, sees no devices and no homes, gains no privileges, and runs nothing that lies in /var, /run or /tmp. It is the agent's user, and could read its credentials: name only programs you trust. What it needs beyond that, a drop-in gives (systemctl edit firstlight), such as",
    '  [Service]',
    '  PrivateDevices=no',
    '  DeviceAllow=/dev/i2c-1 rw',
    '  SupplementaryGroups=i2c',
  ],
  file: ['A number in a file, such as a driver makes below /sys: the first one on the first line.'],
  gpio: [
    'A GPIO line, read by gpioget (apt install gpiod). Inside the service it needs a drop-in (systemctl edit firstlight):',
    '  [Service]',
    '  PrivateDevices=no',
    '  DeviceAllow=char-gpiochip rw',
    '  SupplementaryGroups=gpio',
  ],
};

export interface CustomSensorSection {
  readonly kind: CustomSensorKind;
  readonly about: string;
  readonly fields: readonly Field[];
}

export const CUSTOM_SENSOR_SECTIONS: readonly CustomSensorSection[] = CUSTOM_SENSOR_KINDS.map((kind) => ({
  kind,
  about: [...SENSOR_INTROS[kind], `At most ${CUSTOM_SENSORS_MAX[kind]} of these.`].join('\n'),
  fields: Object.values(customSensorFields[kind]),
}));
/** Its bound and what it is without being given. */
function describeField(field: Field): string {
  const isRequired = field.isOptional === undefined && field.default === undefined;
  return `${field.bound}; ${isRequired ? 'must be given' : `default: ${field.default ?? 'none'}`}`;
}

function renderCustomSensorExample(): string {
  const sections = CUSTOM_SENSOR_SECTIONS.map(({ kind, about, fields }) => {
    const lines = fields.map(
      (field) => `${toComment(`${field.meaning} ${describeField(field)}`)}\n#${exampleOf(field)}`,
    );
    return `${toComment(about)}\n#[[sensor.${kind}]]\n${lines.join('\n')}\n`;
  });
  return [toComment(CUSTOM_SENSORS_INTRO), '', ...sections].join('\n');
}
