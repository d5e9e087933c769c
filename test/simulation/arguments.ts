/** Checks the arguments of `npm run simulate`; throws a `TypeError` that names the wrong one. */

export function parseWholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new TypeError(`--${name} ${text}: must be a whole number from 0`);
}

export function parseChoice<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const match = choices.find((choice) => choice === text);
  if (match !== undefined) return match;
  throw new TypeError(`--${name} ${text}: must be one of ${choices.join(', ')}`);
}
