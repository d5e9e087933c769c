/** The host's date jumps at run time, under libfaketime: real clock, timers and files, without root. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import type { Instant } from '../../../src/core/model/reading.ts';
import { FakeDate, noFaketime } from './fake-date.ts';
import { TimeSourceHost } from './time-source-host.ts';

interface Line {
  readonly instant: Instant;
  readonly wallMs: number;
  readonly sleptMs: number;
  readonly events: readonly string[];
}

const PAST_MS = Date.UTC(2024, 2, 1);
const TODAY_MS = Date.UTC(2026, 10, 22);
/** Longer than the test, and much less than any jump. */
const HOUR_MS = 3_600_000;

describe('when the date jumps at run time', { skip: noFaketime }, () => {
  it('a date jump moves timestamps if the system clock is trusted, but no sleep', async (t) => {
    const host = new ClockHost(t, PAST_MS, 'system');
    const before = await host.linesUntil(({ length }) => length >= 3);
    host.setDate(TODAY_MS);
    const after = await host.linesUntil((lines) => lines.filter(isAt(TODAY_MS)).length >= 3);
    assert.ok(before.every((line) => isAt(PAST_MS)(line) && isDated(PAST_MS)(line)));
    assert.ok(after.filter(isAt(TODAY_MS)).every(isDated(TODAY_MS)));
    assertUndisturbed([...before, ...after]);
  });

  it('a date jump moves timestamps only if the time service confirms it', async (t) => {
    const host = new ClockHost(t, PAST_MS, 'synchronised');
    const undated = await host.linesUntil(({ length }) => length >= 3);
    host.setDate(TODAY_MS);
    host.touch(TODAY_MS);
    const dated = await host.linesUntil((lines) => lines.filter(isDated(TODAY_MS)).length >= 3);
    host.setDate(PAST_MS);
    const held = await host.linesUntil((lines) => lines.filter(isAt(PAST_MS)).length >= 3 && isWarned(lines));
    host.touch(held.at(-1)?.wallMs ?? 0);
    const confirmed = await host.linesUntil((lines) => lines.some(isDated(PAST_MS)));
    assert.ok(undated.every(({ instant }) => instant.tsMs === undefined));
    assert.ok(held.every(isDated(TODAY_MS)), 'hold-over');
    assert.ok(confirmed.slice(0, -1).every(isDated(TODAY_MS)));
    assertUndisturbed([...undated, ...dated, ...held, ...confirmed]);
    const distances = [...dated.filter(isDated(TODAY_MS)), ...held].map(
      ({ instant }) => (instant.tsMs ?? 0) - instant.bootMs,
    );
    assert.ok(Math.max(...distances) - Math.min(...distances) < 1000, `${distances}`);
  });
});

const isAt = (dateMs: number) => (line: Line) => Math.abs(line.wallMs - dateMs) < HOUR_MS;
const isDated = (dateMs: number) => (line: Line) => Math.abs((line.instant.tsMs ?? 0) - dateMs) < HOUR_MS;
const isWarned = (lines: readonly Line[]) =>
  lines.at(-1)?.events.some((each) => each.startsWith('warn')) ?? false;

function assertUndisturbed(lines: readonly Line[]): void {
  assert.equal(new Set(lines.map(({ instant }) => instant.bootId)).size, 1);
  assert.ok(lines.every(({ sleptMs }) => sleptMs >= 100 && sleptMs < HOUR_MS));
  for (const [index, { instant, sleptMs }] of lines.entries()) {
    const previous = lines[index - 1]?.instant.bootMs;
    if (previous === undefined) continue;
    const passedMs = instant.bootMs - previous;
    assert.ok(
      passedMs >= Math.floor(sleptMs) && passedMs < sleptMs + 60_000,
      `${passedMs} ms passed, ${sleptMs} slept`,
    );
  }
}

/** The child process under a date of the test's choice. */
class ClockHost {
  readonly #host: TimeSourceHost;
  readonly #date: FakeDate;
  readonly #lines: AsyncIterator<string>;

  constructor(t: TestContext, dateMs: number, trust: string) {
    this.#host = new TimeSourceHost(t);
    this.#date = new FakeDate(join(this.#host.root, 'date'));
    this.setDate(dateMs);
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'timestamper-child.js'), trust, this.#host.root],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          PATH: process.env['PATH'],
          TZ: 'UTC',
          ...this.#date.environment,
          // The file keeps the times that this test sets.
          NO_FAKE_STAT: '1',
        },
      },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    t.after(() => {
      child.kill('SIGTERM');
      return ended;
    });
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  setDate(dateMs: number): void {
    this.#date.set(dateMs);
  }

  /** Touches the file like timesyncd when the faked clock shows `dateMs`. */
  touch(dateMs: number): void {
    this.#host.touch();
    const path = join(this.#host.root, 'run/systemd/timesync/synchronized');
    const whenS = dateMs / 1000;
    utimesSync(path, whenS, whenS);
  }

  async linesUntil(isEnough: (lines: readonly Line[]) => boolean): Promise<readonly Line[]> {
    const lines: Line[] = [];
    while (!isEnough(lines)) {
      const { value, done } = await this.#lines.next();
      assert.ok(!done, 'the child ended');
      lines.push(JSON.parse(value));
    }
    return lines;
  }
}
