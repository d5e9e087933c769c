/** The arguments of `npm run simulate`, checked; what is wrong with one is a `TypeError` with a sentence. */

export function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new TypeError(`--${name} ${text}: must be a whole number from 0`);
}

export function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new TypeError(`--${name} ${text}: must be one of ${choices.join(', ')}`);
}
