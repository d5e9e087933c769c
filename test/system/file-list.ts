/**
 * Lists all files of the root file system of a machine for a comparison, without those that every machine
 * changes by itself.
 */

import type { Machine } from './machine.ts';

/** Logs, caches, the state of apt and systemd, and the packages that the test itself has copied. */
const IGNORED = [
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
    out.split('\n').filter((path) => path !== '' && !IGNORED.some((pattern) => pattern.test(path))),
  );
}

export function differences(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  return {
    added: [...after].filter((path) => !before.has(path)),
    removed: [...before].filter((path) => !after.has(path)),
  };
}
