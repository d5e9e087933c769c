/**
 * docs/reference/commands.md and the body of firstlight(1), from the definitions of the commands. What the definitions lack
 * stands here: exit codes, files and environment variables.
 */

import { readCommands } from '../lib/commands.mjs';
import { blocks, bullets, escaped, fence, sentence, wrapped } from './markdown.mjs';

const INTRODUCTION = [
  'systemd usually runs the agent as `firstlight.service`. `systemctl status firstlight` shows its state and `journalctl -u firstlight` its log.',
];

const EXIT_CODES = {
  0: 'Success. The agent also exits with 0 after a signal.',
  1: 'The command failed or was declined, or a check found a problem. The agent exits with 1 only because of a bug, which it logs.',
  64: 'The command line is wrong.',
  66: 'The file given with `--from` does not exist (`import`).',
  72: 'A file of the program is missing or damaged: reinstall Firstlight.',
  73: 'An output file could not be written (`doctor --bundle`, `thingsboard`).',
  74: 'The output could not be written.',
  75: 'The state directory is not usable, another agent uses it, or the server cannot be reached (`thingsboard`).',
  78: 'The configuration has problems. The command reports all of them.',
  130: 'The command was interrupted before it had finished (`doctor`, `thingsboard`).',
  141: 'The output pipe was closed, for example by `head`. A running agent does not exit for this reason.',
};

const FILES = {
  '/etc/firstlight/firstlight.toml': 'The configuration. See firstlight.toml(5).',
  '/etc/firstlight/conf.d/*.toml': 'Additional configuration files, for image builders and fleet tools.',
  '/var/lib/firstlight':
    'The credentials and the queued readings. `apt remove` keeps this directory; `apt purge` deletes it.',
  '/usr/lib/firstlight': 'The program.',
};

const VARIABLES = {
  FIRSTLIGHT_CONFIG: 'The configuration file, if `--config` is not given.',
  'FIRSTLIGHT_*':
    'Each setting has a variable, which takes precedence over the files. See firstlight.toml(5).',
  STATE_DIRECTORY: 'The state directory, if `--state` is not given. systemd sets it.',
  RUNTIME_DIRECTORY: 'The runtime directory, if `--runtime` is not given. systemd sets it.',
  CREDENTIALS_DIRECTORY: 'The directory of the systemd credentials firstlight.secret and firstlight.token.',
};

export async function commandReference() {
  const program = await readCommands();
  return blocks([
    wrapped(escaped(program.about)),
    INTRODUCTION.map((paragraph) => wrapped(paragraph)),
    '## Options',
    bullets(program.options.map(optionItem)),
    '## Commands',
    ...program.commands.flatMap(commandSections),
    '## Exit status',
    definitions(EXIT_CODES),
    '## Files',
    definitions(FILES),
    '## Environment',
    definitions(VARIABLES),
  ]);
}

function commandSections({ path, about, usage, options, arguments: operands, commands, after }) {
  const items = [
    ...operands
      .filter(({ about: meaning }) => meaning)
      .map(({ name, about: meaning }) => `\`${name}\`: ${escaped(sentence(meaning))}`),
    ...options.filter(({ names }) => !names.includes('--help')).map(optionItem),
  ];
  const [examples, notes] = splitNotes(after);
  const section = [
    `### \`${`firstlight ${path.join(' ')} ${usage}`.trim()}\``,
    wrapped(escaped(sentence(about))),
    ...(items.length === 0 ? [] : [bullets(items)]),
    ...notes.map((note) => wrapped(escaped(sentence(note)))),
    ...(examples.length === 0 ? [] : [fence(examples.join('\n'), 'sh')]),
  ].join('\n\n');
  return [section, ...commands.flatMap(commandSections)];
}

/** The text below a command's help: example commands, and everything else. */
function splitNotes(after) {
  const lines = after.split('\n').filter((line) => line !== '');
  const example = /^examples?: */i;
  return [
    lines.filter((line) => example.test(line)).map((line) => line.replace(example, '')),
    lines.filter((line) => !example.test(line)),
  ];
}

function optionItem({ names, value, about }) {
  const term = [names.join(', '), value].filter(Boolean).join(' ');
  return `\`${term}\`: ${escaped(sentence(about))}`;
}

function definitions(meanings) {
  return bullets(Object.entries(meanings).map(([term, meaning]) => `\`${term}\`: ${meaning}`));
}
