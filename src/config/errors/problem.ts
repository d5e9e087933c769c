/**
 * Problems of the configuration. The `sentence` of a problem names its source, key, value, what is allowed and an example, in
 * one line. A ConfigError carries every problem, not only the first. None contains a secret: callers format values with
 * `formatValue` (schema/display.ts), and a ConfigError has no cause.
 */

/** Where a value comes from. */
export interface Source {
  /** A file's path, a variable's name, or "shared attribute" with its name. */
  readonly name: string;
  readonly via: 'file' | 'environment' | 'credential' | 'attribute';
  /** 1-based; files only. */
  readonly line?: number | undefined;
}

export interface ProblemDetails {
  /** What is wrong, continuing a sentence that begins with the key and its value: "is not a duration". */
  readonly what: string;
  readonly key?: string | undefined;
  readonly value?: string | undefined;
  readonly bound?: string | undefined;
  readonly example?: string | undefined;
}

export interface Problem extends ProblemDetails {
  readonly source: string;
  readonly line?: number | undefined;
  readonly sentence: string;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((each) => each.sentence).join('\n'));
    this.problems = problems;
  }
}

export function problemAt(source: Source, details: ProblemDetails): Problem {
  const { what, key, value, bound, example } = details;
  const subject = [key, value === undefined ? undefined : `= ${value}`].filter((part) => part !== undefined);
  const sentence = [
    [...subject, what].join(' '),
    bound === undefined ? undefined : `allowed: ${bound}`,
    example === undefined ? undefined : `example: ${example}`,
  ].filter((part) => part !== undefined);
  return {
    source: source.name,
    ...(source.line === undefined ? {} : { line: source.line }),
    ...details,
    sentence: `${formatSource(source)}: ${sentence.join('; ')}`,
  };
}

/** "/etc/firstlight/firstlight.toml:7", "FIRSTLIGHT_LOG_LEVEL" or "shared attribute logLevel". */
export function formatSource(source: Source): string {
  return source.line === undefined ? source.name : `${source.name}:${source.line}`;
}
