/** A thread that looks at a directory without pause and tells every mode in which it saw a file there. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { directory, stop } = workerData as { directory: string; stop: Int32Array };
const seen: Record<string, string[]> = {};

while (Atomics.load(stop, 0) === 0) {
  for (const name of readdirSync(directory)) note(name);
}
parentPort?.postMessage(seen);

function note(name: string): void {
  const found = statSync(join(directory, name), { throwIfNoEntry: false });
  if (!found) return; // renamed meanwhile
  const mode = (found.mode & 0o7777).toString(8);
  const names = seen[mode] ?? [];
  if (!names.includes(name)) seen[mode] = [...names, name];
}
