/** docs/reference/configuration.md and the body of firstlight.toml(5), from the table of settings. */

import { loadCommandSection, loadCustomSensors, loadSettings } from '../lib/sources.mjs';
import { blocks, bullets, escaped, fence, prose, sentence, wrapped } from './markdown.mjs';

const INTRODUCTION = [
  'The agent reads `/etc/firstlight/firstlight.toml`, or the file given with `--config`. It then reads the files `*.toml` in the directory `conf.d` beside that file, in the order of their names. A later file takes precedence over an earlier one. An environment variable takes precedence over all files, and a shared attribute of the device in ThingsBoard over everything.',
  'The files are in [TOML](https://toml.io) format. Every value is a string in quotation marks, with commas between the parts of a list. `server.url` also accepts an array of strings.',
  'The agent reports all problems at once, each with file, line, accepted values and an example, and exits with code 78. `firstlight config check` reports the same problems. `systemctl reload firstlight` reads the configuration again. If the new configuration has problems, the agent keeps the previous settings.',
];

export async function configurationReference() {
  const { introductions, ...settings } = await loadSettings();
  const { allSettings, pathOf } = settings;
  return blocks([
    INTRODUCTION.map((paragraph) => wrapped(paragraph)),
    ...Object.entries(introductions)
      .map(([name, introduction]) => [
        `## \`[${name}]\``,
        prose(introduction),
        allSettings
          .filter((setting) => pathOf(setting)[0] === name)
          .map((each) => settingSection(each, settings)),
      ])
      .flat(2),
    ...customSensors(await loadCustomSensors()),
    ...commands(await loadCommandSection()),
  ]);
}

function settingSection(setting, { attributeOf, pathOf, variableOf, units }) {
  const assignment = `${pathOf(setting)[1]} = "${setting.default || setting.example}"`;
  return [
    `### \`${setting.key}\``,
    ...prose(setting.meaning),
    bullets([
      `Type: ${setting.type}${escaped(units[setting.type] ?? '')}`,
      `Accepted values: ${acceptedValues(setting)}`,
      `Default: ${defaultOf(setting)}`,
      `Environment variable: \`${variableOf(setting)}\``,
      ...(setting.isRemote ? [`Shared attribute: \`${attributeOf(setting)}\``] : []),
      `Example: \`${assignment}\``,
    ]),
  ].join('\n\n');
}

function customSensors({ introduction, parts, exampleOf }) {
  return [
    '## Custom sensors',
    ...prose(introduction),
    ...parts.flatMap((part) => listTableSection('sensor', part, exampleOf)),
  ];
}

function commands({ exampleOf, ...section }) {
  return ['## Commands', ...listTableSection('command', section, exampleOf)];
}

function listTableSection(table, { kind, about, fields }, exampleOf) {
  return [
    `### \`[[${table}.${kind}]]\``,
    ...prose(about),
    bullets(fields.map(fieldItem)),
    'Example:',
    fence([`[[${table}.${kind}]]`, ...fields.map(exampleOf)].join('\n'), 'toml'),
  ];
}

function fieldItem(field) {
  const isRequired = field.isOptional === undefined && field.default === undefined;
  const given = isRequired ? 'required' : `default: ${defaultOf(field)}`;
  return `\`${field.key}\` (${given}): ${escaped(sentence(field.meaning))} Accepted values: ${acceptedValues(field)}.`;
}

function acceptedValues({ type, bound }) {
  if (type !== 'choice') return escaped(bound);
  return bound
    .split(' | ')
    .map((value) => `\`${value}\``)
    .join(', ');
}

function defaultOf({ default: builtIn }) {
  return builtIn ? `\`${builtIn}\`` : 'none';
}
