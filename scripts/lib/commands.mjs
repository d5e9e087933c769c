/**
 * What the command line offers, as data: read from the commander definitions of src/cli/program.ts, so that the man page and
 * the completion cannot fall behind them. Needs a build.
 */

import { join } from 'node:path';
import { root } from './prepare.mjs';

/** `{ path, about, usage, options, arguments, commands, after }`, for the program and each of its commands. */
export async function readCommands() {
  const { createProgram } = await import(join(root, 'dist', 'src', 'cli', 'program.js'));
  // No command is run: none needs to know its host.
  const program = createProgram({});
  return described(program, []);
}

function described(command, path) {
  const help = command.createHelp();
  return {
    path,
    about: command.description(),
    usage: command.usage(),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.short, option.long].filter(Boolean),
      value: valueName(option),
      choices: option.argChoices ?? [],
      about: help.optionDescription(option),
    })),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      choices: argument.argChoices ?? [],
      about: help.argumentDescription(argument),
    })),
    commands: help
      .visibleCommands(command)
      // The command "help" is commander's own, and says what --help says.
      .filter((each) => command.commands.includes(each))
      .map((each) => described(each, [...path, each.name()])),
    after: afterHelp(command),
  };
}

/** `<file>` of `--config <file>`; undefined where an option takes no value. */
function valueName(option) {
  return /[<[].+[\]>]/.exec(option.flags)?.[0];
}

/** What addHelpText('after') adds: examples. */
function afterHelp(command) {
  let text = '';
  const { writeOut } = command.configureOutput();
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  command.configureOutput({ writeOut });
  return text.slice(command.helpInformation().length).trim();
}
