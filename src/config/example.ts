/**
 * What people read about the settings, made from the table of settings so that it cannot fall behind: the
 * example file that the package installs, and the table of the README.
 */

import { commented } from './commented.ts';
import { renderOwnExample } from './own-example.ts';
import { allSettings } from './schema.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET, type SecretKind } from './secrets.ts';
import { pathOf, type Setting, variableOf } from './setting.ts';

const HEAD = `\
# Firstlight: what this gateway reports, where to and how. Read at start, and again by
# \`systemctl reload firstlight\`, which keeps to the old settings if it finds a problem in the new ones.
#
# Take the "#" away from a line that begins with "#name =" to set it. Lines left as they are show the
# built-in value, or an example where there is none.
# Later wins: built-in values, this file, the files *.toml in the directory conf.d beside it in the
# order of their names, the variable named beside each setting.
`;

const TABLES: Readonly<Record<string, string>> = {
  server: 'Where the readings go.',
  provisioning: `\
How a gateway without credentials gets them: the pair of its device profile. Key and secret go together.
${placesOf(PROVISIONING_SECRET)}`,
  device: `\
What the gateway is called, and the access token of one whose device is on the server already.
${placesOf(DEVICE_TOKEN)}`,
  telemetry:
    'How often the sensors are read, what of that is reported, and how fast what waited is caught up.',
  sensors:
    'Which of all the sensors are read, how often, and how their values are named; firstlight sample shows them.',
  outbox: 'Where readings wait while the server is away: in memory first, then on the disk.',
  clock: 'When a reading gets its date.',
  log: 'What the journal gets.',
};

function placesOf({ inline, file, credential }: SecretKind): string {
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
const UNITS: Partial<Readonly<Record<Setting['type'], string>>> = {
  duration: ' (500ms, 10s, 5m, 1h, 2d)',
  size: ' (KB, MB, GB of 1000; KiB, MiB, GiB of 1024)',
};

/** systemd/firstlight.toml: every key, commented out, with its unit, default and bound; then an example of each own sensor. */
export function renderExample(): string {
  const tables = Object.entries(TABLES).map(([table, about]) => {
    const members = allSettings.filter((setting) => pathOf(setting)[0] === table);
    return `${commented(about)}\n[${table}]\n${members.map(exampleLines).join('\n')}`;
  });
  return [HEAD, ...tables, renderOwnExample()].join('\n');
}

function exampleLines(setting: Setting): string {
  const about = [
    setting.meaning,
    `${setting.type}${UNITS[setting.type] ?? ''}: ${setting.bound}`,
    `default: ${setting.default || 'none'}; variable: ${variableOf(setting)}`,
  ];
  const assignment = `#${pathOf(setting)[1]} = "${setting.default || setting.example}"`;
  return `${about.map(commented).join('\n')}\n${assignment}\n`;
}

/** Markdown for the README: key | default | bounds | environment | meaning. */
export function renderReadmeTable(): string {
  const rows = allSettings.map((setting) => [
    `\`${setting.key}\``,
    setting.default ? `\`${setting.default}\`` : '–',
    setting.bound,
    `\`${variableOf(setting)}\``,
    setting.meaning,
  ]);
  const head = ['key', 'default', 'bounds', 'environment', 'meaning'];
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map(cellText).join(' | ')} |\n`).join('');
}

function cellText(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
