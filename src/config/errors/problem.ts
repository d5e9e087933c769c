/**
 * What can be wrong with the configuration, said so that an operator can put it right without the manual.
 *
 * A problem names its source (file and line, or variable), the key, the value as given, what is allowed and an
 * example; `sentence` is all of that in one line. ConfigError carries every problem found, never only the
 * first. No secret is in any of them: callers pass values through `shown` in show.ts, and no original error
 * rides along as a cause.
 */

/** Where a value came from. */
export interface Source {
  /** A file's path or a variable's name. */
  readonly name: string;
  readonly via: 'file' | 'environment' | 'credential';
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
    bound === undefined ? undefined : `allowed ${bound}`,
    example === undefined ? undefined : `example: ${example}`,
  ].filter((part) => part !== undefined);
  return {
    source: source.name,
    ...(source.line === undefined ? {} : { line: source.line }),
    ...details,
    sentence: `${formatSource(source)}: ${sentence.join('; ')}`,
  };
}

/** "/etc/firstlight/firstlight.toml:7" or "FIRSTLIGHT_LOG_LEVEL". */
export function formatSource(source: Source): string {
  return source.line === undefined ? source.name : `${source.name}:${source.line}`;
}
