/**
 * firstlight(1), from the definitions of the commands. Only what they do not know is written here: exit codes, files,
 * variables of the environment that are no settings.
 */

import { EVENTS } from '../../dist/src/core/events.js';
import { heading, item, page, paragraph, subheading, title, verbatim } from './roff.mjs';

const EXIT_CODES = [
  ['0', 'It ended as it should, also after a signal.'],
  [
    '1',
    'What was asked for was not done, or a check found something; run ends so only for a bug, which it tells.',
  ],
  ['64', 'The command was used wrongly.'],
  ['72', 'A file of the program is missing or damaged: install it again.'],
  ['73, 74', 'A file could not be written; what the command had to say could not be written.'],
  ['75', 'The state directory cannot be had, or another agent has it.'],
  ['78', 'The configuration cannot work: all that is wrong with it is told.'],
  ['130', 'The doctor was stopped before it had looked at all.'],
  [
    '141',
    'Nobody read what the command had to say to its end, as with "| head". The agent goes on without a reader.',
  ],
];

const FILES = [
  ['/etc/firstlight/firstlight.toml', 'The configuration: see firstlight.toml(5).'],
  ['/etc/firstlight/conf.d/*.toml', 'Settings in files of their own, for image builders and fleet tools.'],
  [
    '/var/lib/firstlight',
    'The credentials, and the readings that wait for the server. Kept when the package is removed, gone when it is purged.',
  ],
  [
    '/usr/lib/firstlight/firstlight.mjs',
    'The program; what it loads when it is needed is in code/ beside it.',
  ],
];

const VARIABLES = [
  ['FIRSTLIGHT_CONFIG', 'The configuration file, unless --config names one.'],
  ['FIRSTLIGHT_*', 'Each setting has a variable, which wins over the file: see firstlight.toml(5).'],
  ['STATE_DIRECTORY', 'The state directory, unless --state names one; systemd sets it.'],
  ['CREDENTIALS_DIRECTORY', 'Where systemd put the credentials firstlight.secret and firstlight.token.'],
];

/** `program` is what readCommands gives; `release` has version and date. */
export function renderCommandPage(program, release) {
  return page([
    title('firstlight', 1, release),
    heading('NAME'),
    'firstlight \\- ThingsBoard agent of a Linux gateway\n',
    heading('SYNOPSIS'),
    '.B firstlight\n.I command\n.RI [ option ...]\n',
    heading('DESCRIPTION'),
    paragraph(program.about),
    paragraph(
      'Usually it is run by systemd, as firstlight.service; "systemctl status firstlight" and "journalctl -u firstlight" tell how it is.',
    ),
    heading('OPTIONS'),
    ...program.options.map(option),
    heading('COMMANDS'),
    ...program.commands.flatMap(command),
    heading('EXIT STATUS'),
    ...EXIT_CODES.map(([code, meaning]) => item(code, meaning)),
    heading('EVENTS'),
    paragraph(
      'Every line of the journal has the id of its event in the field "event": "journalctl -u firstlight --grep event=FL-SILENT" finds one.',
    ),
    ...Object.entries(EVENTS).map(([id, { level, sentence: says }]) =>
      item(`${id} (${level})`, sentence(says)),
    ),
    heading('FILES'),
    ...FILES.map(([file, meaning]) => item(file, meaning)),
    heading('ENVIRONMENT'),
    ...VARIABLES.map(([variable, meaning]) => item(variable, meaning)),
    heading('SEE ALSO'),
    '.BR firstlight.toml (5),\n.BR systemctl (1),\n.BR journalctl (1)\n',
  ]);
}

function command({ path, about, usage, options, arguments: operands, commands, after }) {
  const shown = options.filter(({ names }) => !names.includes('--help'));
  return [
    subheading(`firstlight ${path.join(' ')} ${usage}`.trim()),
    paragraph(sentence(about)),
    ...operands
      .filter(({ about: meaning }) => meaning)
      .map(({ name, about: meaning }) => item(name, sentence(meaning))),
    ...shown.map(option),
    ...(after === ''
      ? []
      : [
          paragraph('In use:'),
          verbatim(after.split('\n').map((line) => line.replace(/^examples?: */i, ''))),
        ]),
    ...commands.flatMap(command),
  ];
}

function option({ names, value, about }) {
  return item([names.join(', '), value].filter(Boolean).join(' '), sentence(about));
}

/** The help's fragments begin small and end without a full stop. */
function sentence(words) {
  const text = `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
  return /[.)!?]$/.test(text) ? text : `${text}.`;
}
