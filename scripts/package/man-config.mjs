/**
 * firstlight.toml(5), from the table of settings (src/config/schema.ts), as the example file is. What stands above a
 * table in the example file stands above it here. Needs a build.
 */

import { join } from 'node:path';
import { heading, item, page, paragraph, subheading, title, verbatim } from './roff.mjs';
import { root } from '../lib/prepare.mjs';

const built = (path) => import(join(root, 'dist', 'src', 'config', path));

/** `release` has version and date. */
export async function renderConfigPage(release) {
  const { allSettings } = await built('schema.js');
  const { pathOf, variableOf } = await built('setting.js');
  const { renderExample } = await built('example.js');
  const { OWN_ABOUT, OWN_PARTS, takes } = await built('own-example.js');
  const { exampleOf } = await built('own-sensors.js');
  const [head = '', ...tables] = renderExample().split(/\n\n(?=(?:#.*\n)+\[)/);
  const [, ...usage] = prose(head);
  return page([
    title('firstlight.toml', 5, release),
    heading('NAME'),
    'firstlight.toml \\- configuration of the Firstlight agent\n',
    heading('SYNOPSIS'),
    '.I /etc/firstlight/firstlight.toml\n.br\n.I /etc/firstlight/conf.d/*.toml\n',
    heading('DESCRIPTION'),
    paragraph(
      'A TOML file (https://toml.io) of tables and keys. Every value is text in quotation marks. What is wrong is told all at once, with file, line and bound, and the agent does not start with it.',
    ),
    ...usage.flatMap(told),
    ...tables.flatMap((text) => {
      const table = /^\[(.+)\]$/m.exec(text)?.[1] ?? '';
      const members = allSettings.filter((setting) => pathOf(setting)[0] === table);
      const about = text.slice(0, text.indexOf('\n['));
      return [
        heading(`[${table}]`),
        ...prose(about).flatMap(told),
        ...members.map((setting) =>
          item(
            `${pathOf(setting)[1]} = "${setting.default || setting.example}"`,
            setting.meaning,
            `${setting.type}: ${setting.bound}`,
            `default: ${setting.default || 'none'}; variable: ${variableOf(setting)}`,
          ),
        ),
      ];
    }),
    heading('SENSORS OF YOUR OWN'),
    paragraph(OWN_ABOUT),
    ...OWN_PARTS.flatMap(({ kind, about, fields }) => [
      subheading(`[[sensor.${kind}]]`),
      ...prose(about).flatMap(told),
      ...fields.map((field) => item(exampleOf(field), field.meaning, takes(field))),
    ]),
    heading('SEE ALSO'),
    '.BR firstlight (1)\n',
  ]);
}

/** Comment lines as paragraphs; lines that are set in stay lines. */
function prose(comments) {
  const paragraphs = [];
  for (const line of comments.split('\n').map((each) => each.replace(/^# ?/, ''))) {
    const last = paragraphs.at(-1);
    const kind = line.startsWith(' ') ? 'lines' : 'text';
    if (line === '') paragraphs.push({ kind: 'text', lines: [] });
    else if (last === undefined || last.kind !== kind) paragraphs.push({ kind, lines: [line] });
    else last.lines.push(line);
  }
  return paragraphs.filter(({ lines }) => lines.length > 0);
}

function told({ kind, lines }) {
  return kind === 'lines' ? [verbatim(lines)] : [paragraph(lines.join(' '))];
}
