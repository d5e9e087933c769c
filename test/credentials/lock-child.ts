/**
 * A process that takes the lock of a state directory, for lock.test.ts: DIRECTORY [idle | parent].
 *
 * Prints "ready", waits for a line, prints "held" or the code of the error, and runs until it is killed or its input ends.
 * `idle` only takes the lock; `parent` first prints the pid of a child that outlives it.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { errorCode } from '../../src/core/model/error-code.ts';
import { acquireLock } from '../../src/credentials/lock.ts';

const [directory = '', role] = process.argv.slice(2);

async function take(): Promise<string> {
  try {
    await acquireLock(directory);
    return 'held';
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}

if (role === 'idle') {
  console.log(await take());
} else {
  console.log('ready');
  createInterface({ input: process.stdin }).once('line', async () => {
    const outcome = await take();
    if (role === 'parent') {
      console.log(spawn('sleep', ['60'], { stdio: 'ignore', detached: true }).pid);
    }
    console.log(outcome);
  });
}
