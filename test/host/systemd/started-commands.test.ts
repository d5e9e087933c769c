/** The memory of started commands, on real files. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { startedCommandStore } from '../../../src/host/systemd/started-commands.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const COMMANDS = [{ key: '7 restart', bootMs: 60_000 }];

function storeIn(t: TestContext, directory = mkdtempSync(join(tmpdir(), 'firstlight-run-'))) {
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const log = new RecordingLogger();
  return { directory, log, open: (bootId: string) => startedCommandStore({ directory, bootId, log }) };
}

it('another process of the same boot loads the started commands, from one file of mode 0600', (t) => {
  const { directory, open } = storeIn(t);
  open('this').save(COMMANDS);
  assert.deepEqual(open('this').load(), COMMANDS);
  assert.deepEqual(open('next').load(), []);
  assert.deepEqual(readdirSync(directory), ['commands.json']);
  assert.equal(statSync(join(directory, 'commands.json')).mode & 0o777, 0o600);
});

it('a damaged file of started commands counts as empty', (t) => {
  const { directory, open } = storeIn(t);
  for (const text of ['', '{"boot":"this","comm', '{"boot":"this","commands":[null,{"key":1}]}']) {
    writeFileSync(join(directory, 'commands.json'), text);
    assert.deepEqual(open('this').load(), [], text);
  }
});

it('a failed write of the started commands is logged once, with its action', (t) => {
  const { log, open } = storeIn(t, join(tmpdir(), 'firstlight-no-such-directory'));
  const store = open('this');
  store.save(COMMANDS);
  store.save(COMMANDS);
  assert.equal(log.withMessage(/check that the runtime directory is writable/).length, 1);
});
