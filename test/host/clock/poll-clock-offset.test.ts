/** The clock's offset, from scripts that print what busctl and chronyc print. */

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { pollClockOffset } from '../../../src/host/clock/poll-clock-offset.ts';
import { pollOnce, writeProgram } from '../process/poll-once.ts';

const SENT_US = 1_787_323_275_100_216;
const NOW_MS = 1_787_323_300_000;

interface Exchange {
  readonly times?: readonly unknown[];
  readonly spike?: unknown;
  readonly type?: string;
}

/** What busctl prints for a property that is a struct. */
function timesyncdReply({
  times = [SENT_US, SENT_US + 23_897, SENT_US + 23_902, SENT_US + 6_915],
  spike = false,
  type = '(uuuuittayttttbtt)',
}: Exchange = {}): string {
  const data = [0, 4, 4, 1, -25, 0, 0, [71, 80, 83, 0], ...times, spike, 4, 355];
  return JSON.stringify({ type: 'v', data: [{ type, data }] });
}

const aheadMs = [SENT_US, SENT_US - 100_000, SENT_US - 99_000, SENT_US + 21_000];

for (const [what, answer, expected] of [
  ['an exchange in which the host was 20.442 ms behind', timesyncdReply(), 20.442],
  ['one in which it was ahead', timesyncdReply({ times: aheadMs }), -110],
  ['one that timesyncd rates as a spike', timesyncdReply({ spike: true }), undefined],
  ['no exchange yet', timesyncdReply({ times: [0, 0, 0, 0] }), undefined],
  ['invalid times', timesyncdReply({ times: ['1', '2', '3', '4'] }), undefined],
  ['another struct', timesyncdReply({ type: '(tttt)' }), undefined],
  ['half of the JSON', timesyncdReply().slice(0, 60), undefined],
  ['nothing', '', undefined],
  ['null', 'null', undefined],
  ['a list', '[]', undefined],
  ['text in place of the struct', '{"type":"v","data":"x"}', undefined],
] as const) {
  it(`timesyncd reports ${what}: ${expected ?? 'no offset'}`, async (t) => {
    assert.equal(await offset(t, `cat <<'END'\n${answer}\nEND`), expected);
  });
}

it('an exchange of timesyncd three hours ago or ahead gives no offset', async (t) => {
  const reply = `cat <<'END'\n${timesyncdReply()}\nEND`;
  assert.equal(await offset(t, reply, NOW_MS + 3 * 3_600_000), undefined);
  assert.equal(await offset(t, reply, NOW_MS - 3 * 3_600_000), undefined);
});

it('a host without timesyncd or without busctl has no offset', async (t) => {
  assert.equal(await offset(t, 'echo "Call failed: The name is not activatable" >&2; exit 1'), undefined);
  assert.equal(await readOffset({ busctl: '/nowhere/busctl' }), undefined);
});

it('reading the offset never starts timesyncd', async (t) => {
  const script = `case "$*" in *--auto-start=no*call*) cat <<'END'\n${timesyncdReply()}\nEND\nesac`;
  assert.equal(await offset(t, script), 20.442);
});

const TRACKING =
  'C0A80101,192.168.1.1,3,1787323290.071188211,0.020442000,0.000000974,0.000012715,-0.019,0.006,0.625,0.000005430,0.000003355,64.0,Normal';

for (const [what, answer, expected] of [
  ['that the host is 20.442 ms behind', TRACKING, 20.442],
  ['that it is ahead', TRACKING.replace(',0.020442', ',-0.110000'), -110],
  ['that it trusts no source', TRACKING.replace('Normal', 'Not synchronised'), undefined],
  ['an exchange of hours ago', TRACKING.replace('1787323290.', '1787313290.'), undefined],
  ['an invalid offset', TRACKING.replace(',0.020442000', ',nan'), undefined],
  ['half a line', TRACKING.slice(0, 60), undefined],
  ['that it cannot talk to chronyd', '506 Cannot talk to daemon', undefined],
] as const) {
  it(`chrony reports ${what}: ${expected ?? 'no offset'}`, async (t) => {
    const chronyc = writeProgram(t, 'chronyc', `test "$*" = "-n -c tracking" && echo '${answer}'`);
    assert.equal(await readOffset({ busctl: '/nowhere/busctl', chronyc }), expected);
  });
}

it('the offset of timesyncd takes precedence over that of chrony', async (t) => {
  const busctl = writeProgram(t, 'busctl', `cat <<'END'\n${timesyncdReply()}\nEND`);
  const chronyc = writeProgram(t, 'chronyc', `echo '${TRACKING.replace(',0.020442', ',0.5')}'`);
  assert.equal(await readOffset({ busctl, chronyc }), 20.442);
});

function offset(t: TestContext, script: string, nowMs = NOW_MS): Promise<number | undefined> {
  return readOffset({ busctl: writeProgram(t, 'busctl', script), nowMs });
}

interface OffsetCommands {
  readonly busctl: string;
  readonly chronyc?: string;
  readonly nowMs?: number;
}

function readOffset({
  busctl,
  chronyc = '/nowhere/chronyc',
  nowMs = NOW_MS,
}: OffsetCommands): Promise<number | undefined> {
  return pollOnce((sleep) => pollClockOffset({ clock: { sleep, wallMs: () => nowMs }, busctl, chronyc }));
}
