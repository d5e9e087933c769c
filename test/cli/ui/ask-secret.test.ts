/** The question for a secret: it is never shown, and an interruption ends it. */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { askSecret } from '../../../src/cli/ui/ask-secret.ts';

function terminal() {
  const rawModes: boolean[] = [];
  let shown = '';
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => rawModes.push(isRaw),
  });
  const out = {
    write: (text: string) => {
      shown += text;
    },
  };
  return { input, out, rawModes, shown: () => shown };
}

describe('askSecret', () => {
  it('returns what was typed, with corrections, and shows nothing of it', async () => {
    const { input, out, rawModes, shown } = terminal();
    input.write('pässx\u007fword\r');
    const secret = await askSecret(input, out, 'Password: ', new AbortController().signal);
    assert.equal(secret?.reveal(), 'pässword');
    assert.equal(shown(), 'Password: \n');
    assert.deepEqual(rawModes, [true, false]);
  });

  it('ends with nothing after Ctrl-C and at the end of the signal', async () => {
    const one = terminal();
    one.input.write('abc\u0003');
    assert.equal(await askSecret(one.input, one.out, '', new AbortController().signal), undefined);
    const other = terminal();
    const stop = new AbortController();
    const asking = askSecret(other.input, other.out, '', stop.signal);
    stop.abort();
    assert.equal(await asking, undefined);
    assert.deepEqual(other.rawModes, [true, false]);
  });

  it('asks nothing if input is not a terminal', async () => {
    const { out, shown } = terminal();
    assert.equal(
      await askSecret(new PassThrough(), out, 'Password: ', new AbortController().signal),
      undefined,
    );
    assert.equal(shown(), '');
  });
});
