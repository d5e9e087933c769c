/** Wraps a function of Node for the hooks that run inside the agent's process. */

/** Calls `before` with the arguments; if it returns a function, that replaces the original. */
export function wrap(
  target: object,
  name: string,
  before: (callArguments: readonly unknown[]) => (() => unknown) | undefined,
  after: (callArguments: readonly unknown[], result: unknown) => void = () => {},
): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== 'function') throw new Error(`there is no function ${name} to wrap`);
  Reflect.set(target, name, function wrapped(this: unknown, ...callArguments: unknown[]): unknown {
    const replacement = before(callArguments);
    const result: unknown = replacement ? replacement() : Reflect.apply(original, this, callArguments);
    after(callArguments, result);
    return result;
  });
}
