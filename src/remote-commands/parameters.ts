/** The parameters of a command, as the server sends them: any JSON value. */

import { isJsonObject } from '../core/model/json-object.ts';

/** A parameter of an exec command: a name, and the whole text it may be. */
export interface Parameter {
  readonly name: string;
  readonly pattern: RegExp;
}

/** Long enough for a path or a name; a pattern is never tried on more. */
const VALUE_CHARACTERS_MAX = 256;

/** For a command that takes none. ThingsBoard sends null, {} or "" for no parameters. */
export function parameterProblem(params: unknown): string | undefined {
  const isNone =
    params === null ||
    params === undefined ||
    params === '' ||
    (isJsonObject(params) && Object.keys(params).length === 0);
  return isNone ? undefined : 'this command takes no parameters: send {}';
}

/** The value of each parameter, all required, or the problem. A value is never quoted, because it may be a secret. */
export function readParameters(
  params: unknown,
  parameters: readonly Parameter[],
): { readonly values: ReadonlyMap<string, string> } | { readonly problem: string } {
  if (parameters.length === 0) {
    const problem = parameterProblem(params);
    return problem === undefined ? { values: new Map() } : { problem };
  }
  const names = parameters.map(({ name }) => name);
  if (!isJsonObject(params))
    return { problem: `the parameters must be a JSON object with ${names.join(', ')}` };
  const unknown = Object.keys(params).find((name) => !names.includes(name));
  if (unknown !== undefined)
    return { problem: `a parameter is unknown: this command takes ${names.join(', ')}` };
  const values = new Map<string, string>();
  for (const { name, pattern } of parameters) {
    const value: unknown = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined || value === null) return { problem: `the parameter ${name} is missing` };
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return { problem: `the parameter ${name} is neither a text nor a number` };
    const text = String(value);
    if (text.length > VALUE_CHARACTERS_MAX || text.includes('\0') || !pattern.test(text))
      return { problem: `the parameter ${name} does not match the pattern of the configuration` };
    values.set(name, text);
  }
  return { values };
}
