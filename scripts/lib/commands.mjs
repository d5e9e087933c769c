/** The command line as data, read from the definitions of the commands: for the reference, the man page and the completion. */

import { loadProgram } from './sources.mjs';

/** `{ path, about, usage, options, arguments, commands, after }`, for the program and each of its commands. */
export async function readCommands() {
  const { createProgram } = await loadProgram();
  // No command is run, so none uses its host.
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
      // Without commander's own command "help", which does what --help does.
      .filter((each) => command.commands.includes(each))
      .map((each) => described(each, [...path, each.name()])),
    after: afterHelp(command),
  };
}

/** `<file>` of `--config <file>`; undefined where an option takes no value. */
function valueName(option) {
  return /[<[].+[\]>]/.exec(option.flags)?.[0];
}

/** The text of addHelpText('after'). */
function afterHelp(command) {
  let text = '';
  const { writeOut } = command.configureOutput();
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  command.configureOutput({ writeOut });
  return text.slice(command.helpInformation().length).trim();
}
