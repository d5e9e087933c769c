/** A thread that watches a directory and posts its files by mode. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { directory, stop } = workerData as { directory: string; stop: Int32Array };
const filesByMode: Record<string, string[]> = {};

while (Atomics.load(stop, 0) === 0) {
  for (const name of readdirSync(directory)) record(name);
}
parentPort?.postMessage(filesByMode);

function record(name: string): void {
  const found = statSync(join(directory, name), { throwIfNoEntry: false });
  if (!found) return; // renamed meanwhile
  const mode = (found.mode & 0o7777).toString(8);
  const names = filesByMode[mode] ?? [];
  if (!names.includes(name)) filesByMode[mode] = [...names, name];
}
