/** For the hooks that run inside the agent's process: puts something in front of one of Node's own functions. */

/** Calls `before` with the call's arguments; when that returns a function, it stands in for the original. */
export function wrap(
  target: object,
  name: string,
  before: (given: readonly unknown[]) => (() => unknown) | undefined,
  after: (given: readonly unknown[], result: unknown) => void = () => {},
): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== 'function') throw new Error(`there is no function ${name} to wrap`);
  Reflect.set(target, name, function wrapped(this: unknown, ...given: unknown[]): unknown {
    const instead = before(given);
    const result: unknown = instead ? instead() : Reflect.apply(original, this, given);
    after(given, result);
    return result;
  });
}
