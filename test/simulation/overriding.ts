/**
 * A port with some of its members replaced, and all others as they are.
 *
 * Over a proxy, so that a port may grow a member without every wrapper here having to know it.
 */

export function overriding<T extends object>(port: T, replaced: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
