/** The commands that a configuration allows. Whether this host can reboot, app/command-controls.ts finds out. */

import type { CommandDefinition, CommandTable } from '../core/downlink/command-table.ts';
import { type CommandsConfig, OPTIONAL_COMMANDS, READ_ONLY_COMMANDS } from '../core/model/commands-config.ts';
import { type AgentControls, builtInCommands } from './built-in-commands.ts';
import { execCommand, type RunProgram } from './exec-command.ts';

export function allowedCommands(
  { isOff, enabled, exec }: CommandsConfig,
  agent: AgentControls,
  runProgram: RunProgram,
): CommandTable {
  if (isOff) return { allowed: new Map(), notAllowed: new Set() };
  const allowedNames: ReadonlySet<string> = new Set([...READ_ONLY_COMMANDS, ...enabled]);
  const builtIn: [string, CommandDefinition][] = Object.entries(builtInCommands(agent)).filter(([name]) =>
    allowedNames.has(name),
  );
  const own: [string, CommandDefinition][] = exec.map((command) => [
    command.name,
    execCommand(command, runProgram),
  ]);
  return {
    allowed: new Map([...builtIn, ...own]),
    notAllowed: new Set(OPTIONAL_COMMANDS.filter((name) => !allowedNames.has(name))),
  };
}
