/**
 * Replaces some members of a port. Uses a proxy, so that a port can get new members without a change of its
 * wrappers.
 */

export function override<T extends object>(port: T, replacements: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      if (Object.hasOwn(replacements, name)) return Reflect.get(replacements, name);
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
