/**
 * Replaces every Secret in a value by its characters. Without it deepEqual sees empty objects and considers
 * any two secrets equal.
 */

import { Secret } from '../../src/core/model/secret.ts';

export function revealSecrets(value: unknown): unknown {
  if (value instanceof Secret) return `revealed ${value.reveal()}`;
  if (Array.isArray(value)) return value.map(revealSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revealSecrets(each)]));
}
