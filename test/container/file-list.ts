/** Every file of a machine's root file system, to compare one day with another; without what every machine writes by itself all the time. */

import type { Machine } from './machine.ts';

/** Logs, caches, apt's and systemd's own notes; the packages the test itself has put there. */
const CHURN = [
  /^\/(proc|sys|dev|run|tmp)(\/|$)/,
  /^\/var\/(log|cache|tmp)\//,
  /^\/var\/lib\/(apt|systemd)\/(?!deb-systemd)/,
  /^\/var\/lib\/dpkg\/(.*-old|lock.*|triggers\/.*|updates.*)$/,
  /^\/etc\/(machine-id|resolv\.conf|\.pwd\.lock|\.updated)$/,
  /^\/var\/\.updated$/,
  /^\/root\/.*\.deb$/,
  /^\/etc\/credstore(\/firstlight\.secret)?$/,
];

export async function filesOf(machine: Machine): Promise<ReadonlySet<string>> {
  const { out } = await machine.run(['find', '/', '-xdev', '-print']);
  return new Set(
    out.split('\n').filter((path) => path !== '' && !CHURN.some((pattern) => pattern.test(path))),
  );
}

export function strangers(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
): { readonly left: readonly string[]; readonly gone: readonly string[] } {
  return {
    left: [...after].filter((path) => !before.has(path)),
    gone: [...before].filter((path) => !after.has(path)),
  };
}
