/** The commands that a configuration allows. */

import type { CommandDefinition, CommandTable } from '../core/downlink/command-table.ts';
import type { ExecCommand } from '../core/model/exec-command.ts';
import {
  type AgentControls,
  builtInCommands,
  OPTIONAL_COMMANDS,
  READ_ONLY_COMMANDS,
} from './built-in-commands.ts';
import { execCommand, type RunProgram } from './exec-command.ts';

export interface CommandsConfig {
  /** Built-in commands beyond the read-only ones. */
  readonly enabled: readonly string[];
  readonly exec: readonly ExecCommand[];
}

export function createCommandTable(
  { enabled, exec }: CommandsConfig,
  agent: AgentControls,
  runProgram: RunProgram,
): CommandTable {
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
