/** A command whose output pipe has no reader, as after `| head`. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { tempDir } from '../app/agent-process.ts';
import { MAIN } from '../paths.ts';

/** Opens a pipe for writing whose reader has closed it. */
const INTO_CLOSED_PIPE = 'mkfifo "$0"; (: <"$0") & exec 4>"$0"; wait; exec "$@" >&4 4>&-';

/** Runs the command with stdout into `pipe`, which has no reader. */
export function unread(pipe: string, commandLine: readonly string[]) {
  const child = spawn('sh', ['-c', INTO_CLOSED_PIPE, pipe, process.execPath, MAIN, ...commandLine], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints = text(child.stderr);
  return { child, complaints, closed: once(child, 'close') };
}

/** One test for each command; CONFIG and AT in it become a configuration file and a directory. */
export function closedOutputTests(commands: readonly string[]): void {
  describe('a command with a closed output pipe exits silently with 141:', { concurrency: 4 }, () => {
    for (const command of commands) {
      it(command, { timeout: 60_000 }, async () => {
        await using place = await tempDir();
        const config = await place.config('[server]\nurl = "coap://127.0.0.1:9"\n');
        const words = command.replaceAll('CONFIG', config).replaceAll('AT', place.path).split(' ');
        const { child, complaints, closed } = unread(join(place.path, 'pipe'), words);
        await closed;
        assert.deepEqual([child.exitCode, await complaints], [141, '']);
      });
    }
  });
}
