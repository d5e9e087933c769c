/** `firstlight sample --watch` and `status --watch`: the layout, and that the terminal is restored. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { groupRows } from '../../../src/cli/sample/rows.ts';
import { createSampleSubject, type SampleSubject } from '../../../src/cli/sample/subject.ts';
import { tableLines } from '../../../src/cli/sample/table.ts';
import { watchSamples } from '../../../src/cli/sample/watch.ts';
import { sparkline, watchViewLines } from '../../../src/cli/sample/watch-layout.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { FakeTerminal } from '../../doubles/fake-terminal.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { MAIN } from '../../paths.ts';

const VALUES = {
  cpuUsePercent: 12.5,
  load1: 0.5,
  memoryUsedBytes: 1_288_490_189,
  diskRootUsedPercent: 63.1,
  netEnp0s31f6RxBytesPerS: 123_456,
  netWanlteinterfaceTxBytesPerS: 0,
  uptimeS: 93_784,
};
const plain = createSampleSubject(
  {},
  { hostFiles: openHostFiles('/'), isOther: false, hasKernelFiles: true },
  {},
);
/** Rows of an agent that sends everything. */
const subject = subjectWithout('');

/** The same rows, not sent by the configuration. */
function subjectWithout(key: string): Pick<SampleSubject, 'collectors' | 'describeKey'> {
  const known: SampleSubject['describeKey'] = (name) => {
    const found = plain.describeKey(name);
    return found && { ...found, isSent: name !== key };
  };
  return { ...plain, describeKey: known };
}

const ESCAPE = '\x1b';
const CONTROL = /\p{Cc}/u;

for (const width of [1, 20, 40, 80, 200]) {
  it(`the view fits ${width} columns and contains no control character`, () => {
    const groups = groupRows(VALUES, subjectWithout('load1'));
    const history = new Map(Object.keys(VALUES).map((key) => [key, [1, 2, undefined, 4]]));
    const view = watchViewLines({ groups, history, title: 'a title of some length' }, width, 50);
    for (const line of [...tableLines(groups, width), ...view]) {
      assert.ok(line.length <= width, line);
      assert.doesNotMatch(line, CONTROL);
    }
  });
}

it('the table keeps key and value at width 40 and adds the meaning at 80', () => {
  const groups = groupRows({ memoryUsedBytes: 1_288_490_189 }, subject);
  const [, narrow] = tableLines(groups, 40);
  const [, usual] = tableLines(groups, 80);
  const [, wide] = tableLines(groups, 200);
  assert.equal(narrow, '  memoryUsedBytes  1.2 GiB  memory in u…');
  assert.equal(usual, '  memoryUsedBytes  1.2 GiB  memory in use, excluding reclaimable memory');
  assert.equal(wide, usual);
});

it('the table marks values that are not sent and explains the mark', () => {
  const lines = tableLines(groupRows({ load1: 1, load5: 2 }, subjectWithout('load5')), 80);
  assert.match(lines[1] ?? '', /^ {2}load1 /);
  assert.match(lines[2] ?? '', /^- load5 /);
  assert.match(lines.at(-1) ?? '', /^- is not sent/);
});

it('a low terminal omits headings first, then rows, and shows their number', () => {
  const groups = groupRows(VALUES, subject);
  const lines = (height: number) =>
    watchViewLines({ groups, history: new Map(), title: 'title' }, 80, height);
  assert.equal(lines(14).length, 14);
  assert.ok(lines(14).includes('load'));
  assert.equal(lines(8).length, 8);
  assert.ok(!lines(8).includes('load'));
  assert.equal(lines(5).length, 5);
  assert.equal(lines(5).at(-1), '… and 4 more: enlarge the terminal to see them');
  for (const height of [0, 1, 2]) assert.ok(lines(height).length <= height);
});

it('a sparkline scales to its visible range and has gaps for missing values', () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), '▁▂▃▄▅▆▇█');
  assert.equal(sparkline([5, undefined, 5], 8), '▁ ▁');
  assert.equal(sparkline([100, 0, 1], 2), '▁█');
  assert.equal(sparkline([-10, undefined, 10], 3), '▁ █');
  assert.equal(sparkline([1, 2], 0), '');
  assert.equal(sparkline([], 8), '');
});

it('text from the host cannot move the cursor', () => {
  const [group] = groupRows({ odd: `up${ESCAPE}[2J\n` }, subject);
  assert.equal(group?.rows[0]?.amount, 'up?[2J?');
});

it('the live view is redrawn on resize and removed at the end', async () => {
  const terminal = new FakeTerminal({ isLive: true, columns: 80, rows: 24 });
  const clock = new VirtualClock();
  const ended = watchSamples(live(terminal, clock));
  await clock.advance(2000);
  assert.equal(terminal.written.split(`${ESCAPE}[H`).length - 1, 3);
  terminal.resize(30, 5);
  assert.equal(terminal.written.split(`${ESCAPE}[H`).length - 1, 4);
  const last = terminal.written.split(`${ESCAPE}[H`).at(-1) ?? '';
  for (const line of last.split('\r\n')) assert.ok(line.replaceAll(`${ESCAPE}[K`, '').length <= 30 + 3);
  terminal.end();
  assert.equal(await ended, 0);
  assert.ok(terminal.written.startsWith(`${ESCAPE}[?1049h${ESCAPE}[?25l`));
  assert.ok(terminal.written.endsWith(`${ESCAPE}[?25h${ESCAPE}[?1049l`));
});

it('without a terminal, --watch prints all values once, then changes', async () => {
  const terminal = new FakeTerminal();
  const clock = new VirtualClock();
  const ended = watchSamples(live(terminal, clock));
  await clock.advance(1000);
  terminal.end();
  await ended;
  assert.deepEqual(terminal.lines.slice(0, 3), [
    'load',
    '  load1  1   tasks running or waiting, average over 1 minute',
    '  load5  7   tasks running or waiting, average over 5 minutes',
  ]);
  assert.match(terminal.lines.slice(3).join('\n'), /^\d\d:\d\d:\d\d {2}load1 {2}2$/);
});

function live(terminal: FakeTerminal, clock: VirtualClock) {
  let rounds = 0;
  const sample = async () => {
    rounds += 1;
    return { load1: rounds, load5: 7 };
  };
  return {
    terminal,
    clock,
    sensors: { sample },
    everyMs: 1000,
    group: (values: object) => groupRows({ ...values }, subject),
  };
}

const script = spawnSync('script', ['--version']);
const noScript = script.error === undefined ? false : 'script(1) is not installed';

it('Ctrl-C ends the live view and restores the screen of a real terminal', { skip: noScript }, async () => {
  const { code, output } = await atTerminal({ TERM: 'xterm' }, `${ESCAPE}[H`);
  assert.equal(code, 0);
  assert.ok(output.includes(`${ESCAPE}[?1049h`) && output.includes('Ctrl-C to stop'), output);
  assert.ok(output.trimEnd().endsWith(`${ESCAPE}[?1049l`), JSON.stringify(output.slice(-80)));
});

it('Ctrl-C ends status --watch and restores the screen', { skip: noScript }, async () => {
  const { code, output } = await atTerminal(
    { TERM: 'xterm' },
    'is not running',
    'status --watch --runtime /nowhere',
  );
  assert.equal(code, 3, output);
  assert.ok(output.includes(`${ESCAPE}[?1049h`), JSON.stringify(output));
  assert.ok(output.trimEnd().endsWith(`${ESCAPE}[?1049l`), JSON.stringify(output.slice(-80)));
});

for (const environment of [{ TERM: 'dumb' }, { TERM: 'xterm', NO_COLOR: '1' }]) {
  it(`a real terminal with ${JSON.stringify(environment)} gets only lines`, { skip: noScript }, async () => {
    const { code, output } = await atTerminal(environment, 'uptimeS');
    assert.equal(code, 0);
    assert.ok(!output.includes(ESCAPE), JSON.stringify(output));
  });
}

it('a closed pipe ends sample --watch silently', () => {
  const command = `"$0" "$1" sample --watch | head -n 1`;
  const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, MAIN], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.equal(stderr, '');
});

/** Runs a command in a pseudo-terminal, types Ctrl-C once `sign` was shown, and returns the output. */
async function atTerminal(
  environment: Readonly<Record<string, string>>,
  sign: string,
  watching = 'sample --watch',
) {
  const { PATH } = process.env;
  const command = `exec '${process.execPath}' '${MAIN}' ${watching}`;
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    env: { PATH, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (typed || !output.includes(sign)) return;
    typed = true;
    child.stdin.write('\x03');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output: output.replace(/\^C/g, '') };
}
