/** sd_notify with a script in place of systemd-notify, or a pipe for its socket: order, merging, retries, failures, no waiting. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorCode } from '../../../src/core/model/error-code.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { hostServiceManager, type SystemdNotifier } from '../../../src/host/systemd/notify.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const clock = hostClock();

/** A `systemd-notify` script that records its calls, and the service manager that uses it. */
class NotifyFixture implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'firstlight-systemd-'));
  readonly log = new RecordingLogger();
  readonly #calls = join(this.directory, 'calls');

  manager(extraScript = '', environment: Readonly<Record<string, string>> = {}): SystemdNotifier {
    const command = join(this.directory, 'notify');
    writeFileSync(
      command,
      `#!/bin/sh\nn=$NOTIFY_SOCKET; for w in "$@"; do n="$n|$w"; done\necho "$n" >> ${this.#calls}\n${extraScript}\n`,
    );
    chmodSync(command, 0o755);
    const merged = { NOTIFY_SOCKET: '/run/n', ...environment };
    const manager = hostServiceManager({
      environment: merged,
      clock,
      log: this.log,
      command,
      deadlineMs: 300,
    });
    assert.ok(manager);
    return manager;
  }

  /** A pipe in place of the socket that systemd passes, whose messages do not stay apart. */
  pipe(mode: 'r' | 'r+' = 'r+') {
    const path = join(this.directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const descriptor = openSync(path, mode);
    const buffer = Buffer.alloc(65_536);
    const read = (): string => {
      try {
        // Without what fills the pipe.
        return buffer.toString('utf8', 0, readSync(reader, buffer)).replaceAll('\0', '');
      } catch (error) {
        if (errorCode(error) !== 'EAGAIN') throw error;
        return '';
      }
    };
    const next = async (): Promise<string> => {
      for (;;) {
        const text = read();
        if (text !== '') return text;
        await clock.sleep(10, new AbortController().signal);
      }
    };
    return {
      environment: {
        LISTEN_PID: String(process.pid),
        LISTEN_FDS: String(descriptor - 3 + 1),
        LISTEN_FDNAMES: [...Array.from({ length: descriptor - 3 }, () => 'other'), 'notify'].join(':'),
      },
      next,
      /** All that is sent, up to `end`. */
      until: async (end: string): Promise<string> => {
        let text = '';
        while (!text.endsWith(end)) text += await next();
        return text;
      },
      fill: () => {
        try {
          for (;;) writeSync(reader, Buffer.alloc(4_096));
        } catch (error) {
          if (errorCode(error) !== 'EAGAIN') throw error;
        }
      },
      [Symbol.dispose]: () => {
        // With room, a thread that still waits for it ends; the process of the tests could not end otherwise.
        while (read() !== '');
        closeSync(reader);
        closeSync(descriptor);
      },
    };
  }

  get calls(): readonly string[] {
    // Whole lines only: the file is empty, or ends within a line, while the script writes.
    return existsSync(this.#calls) ? readFileSync(this.#calls, 'utf8').split('\n').slice(0, -1) : [];
  }

  async waitForCalls(count: number): Promise<readonly string[]> {
    while (this.calls.length < count) await clock.sleep(10, new AbortController().signal);
    return this.calls;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

describe('systemd as the service manager', () => {
  it('there is no service manager without NOTIFY_SOCKET, and nothing is logged', () => {
    const log = new RecordingLogger();
    assert.equal(hostServiceManager({ environment: {}, clock, log }), undefined);
    assert.equal(hostServiceManager({ environment: { NOTIFY_SOCKET: '' }, clock, log }), undefined);
    assert.deepEqual(log.lines, []);
  });

  const WATCHDOGS: readonly (readonly [Readonly<Record<string, string>>, number | undefined])[] = [
    [{ WATCHDOG_USEC: '180000000' }, 180_000],
    [{ WATCHDOG_USEC: '180000000', WATCHDOG_PID: String(process.pid) }, 180_000],
    [{ WATCHDOG_USEC: '180000000', WATCHDOG_PID: '1' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
    [{}, undefined],
  ];
  for (const [environment, watchdogMs] of WATCHDOGS) {
    it(`${JSON.stringify(environment)} means ${watchdogMs === undefined ? 'no watchdog' : `${watchdogMs} ms`}`, () => {
      using fixture = new NotifyFixture();
      assert.equal(fixture.manager('', environment).watchdogMs, watchdogMs);
    });
  }

  it('messages of the same turn go into one call of systemd-notify', async () => {
    using fixture = new NotifyFixture();
    await using manager = fixture.manager('', { WATCHDOG_USEC: '1000000' });
    manager.ready();
    manager.alive();
    manager.status('online');
    assert.deepEqual(await fixture.waitForCalls(1), ['/run/n|READY=1|WATCHDOG=1|STATUS=online']);
  });

  it('systemd gets no watchdog message it did not request, and no status twice', async () => {
    using fixture = new NotifyFixture();
    await using manager = fixture.manager();
    manager.alive();
    manager.status('a\nREADY=1');
    await fixture.waitForCalls(1);
    manager.status('a\nREADY=1');
    manager.alive();
    manager.stopping();
    assert.deepEqual((await fixture.waitForCalls(2)).slice(0, 2), [
      '/run/n|STATUS=a READY=1',
      '/run/n|STOPPING=1|STATUS=stopping',
    ]);
  });

  it('systemd gets all states in order, and only the latest of several statuses', async () => {
    using fixture = new NotifyFixture();
    await using manager = fixture.manager('sleep 0.1');
    manager.ready();
    manager.status('one');
    await fixture.waitForCalls(1);
    manager.reloading();
    manager.status('two');
    manager.ready();
    manager.status('three');
    const [first, second = '', third] = await fixture.waitForCalls(3);
    assert.equal(first, '/run/n|READY=1|STATUS=one');
    assert.match(second, /^\/run\/n\|RELOADING=1\|MONOTONIC_USEC=\d+\|STATUS=three$/);
    assert.equal(third, '/run/n|READY=1');
  });

  it('a hanging systemd-notify is killed; states are retried, the failure logged once', async () => {
    using fixture = new NotifyFixture();
    await using manager = fixture.manager(`[ $(wc -l < ${fixture.directory}/calls) -gt 2 ] || sleep 60`);
    manager.status('lost');
    await fixture.waitForCalls(1);
    manager.ready();
    await fixture.waitForCalls(3);
    assert.deepEqual(fixture.calls, ['/run/n|STATUS=lost', '/run/n|READY=1', '/run/n|READY=1']);
    assert.equal(fixture.log.withMessage(/cannot notify systemd/).length, 1);
  });

  it('messages go to a passed socket, each as one datagram, and no process starts', async () => {
    using fixture = new NotifyFixture();
    using pipe = fixture.pipe();
    await using manager = fixture.manager('', { ...pipe.environment, WATCHDOG_USEC: '1000000' });
    manager.ready();
    manager.alive();
    manager.status('online');
    assert.equal(await pipe.next(), 'READY=1\nWATCHDOG=1\nSTATUS=online');
    manager.stopping();
    assert.equal(await pipe.next(), 'STOPPING=1\nSTATUS=stopping');
    assert.deepEqual(fixture.calls, []);
  });

  it('a socket that was passed to another process, or under another name, is not used', async () => {
    using fixture = new NotifyFixture();
    using pipe = fixture.pipe();
    const { environment } = pipe;
    const others: readonly Readonly<Record<string, string>>[] = [
      { ...environment, LISTEN_PID: '1' },
      { ...environment, LISTEN_FDS: '1' },
      { ...environment, LISTEN_FDS: '' },
      { ...environment, LISTEN_FDS: 'all' },
      { ...environment, LISTEN_FDNAMES: 'web' },
    ];
    for (const other of others) {
      const { length } = fixture.calls;
      await using manager = fixture.manager('', other);
      manager.ready();
      await fixture.waitForCalls(length + 1);
    }
    assert.equal(fixture.calls.length, others.length);
  });

  it('messages go to systemd-notify while a passed socket fails', async () => {
    using fixture = new NotifyFixture();
    using pipe = fixture.pipe('r');
    await using manager = fixture.manager('', pipe.environment);
    manager.ready();
    assert.deepEqual(await fixture.waitForCalls(1), ['/run/n|READY=1']);
    manager.status('online');
    assert.deepEqual(await fixture.waitForCalls(2), ['/run/n|READY=1', '/run/n|STATUS=online']);
    assert.deepEqual(fixture.log.lines, []);
  });

  it('a passed socket without room for its deadline is replaced by systemd-notify until it has room', async () => {
    using fixture = new NotifyFixture();
    using pipe = fixture.pipe();
    pipe.fill();
    await using manager = fixture.manager('', pipe.environment);
    manager.status('early');
    assert.deepEqual(await fixture.waitForCalls(1), ['/run/n|STATUS=early']);
    manager.status('online');
    await fixture.waitForCalls(2);
    // The late one has replaced the newer status, which is sent again.
    assert.equal(await pipe.until('STATUS=online'), 'STATUS=earlySTATUS=online');
    assert.deepEqual(fixture.calls.slice(1), ['/run/n|STATUS=online']);
  });

  it('a late RELOADING is followed by another READY', async () => {
    using fixture = new NotifyFixture();
    using pipe = fixture.pipe();
    pipe.fill();
    await using manager = fixture.manager('', pipe.environment);
    manager.reloading();
    manager.ready();
    await fixture.waitForCalls(2);
    assert.match(await pipe.until('READY=1'), /^RELOADING=1\nMONOTONIC_USEC=\d+READY=1$/);
    assert.equal(fixture.calls.length, 2);
  });

  it('disposing the notifier does not wait for a socket without room', async () => {
    using fixture = new NotifyFixture();
    using pipe = fixture.pipe();
    pipe.fill();
    const manager = fixture.manager('sleep 60', pipe.environment);
    manager.stopping();
    const startedMs = clock.monotonicMs();
    await manager[Symbol.asyncDispose]();
    assert.ok(clock.monotonicMs() - startedMs < 1_900);
    // The thread that waits for room must end with the test.
    assert.match(await pipe.next(), /^STOPPING=1/);
  });

  it('disposing the notifier waits for the last message, at most one second', async () => {
    using fixture = new NotifyFixture();
    const manager = fixture.manager('sleep 60');
    manager.stopping();
    const startedMs = clock.monotonicMs();
    await manager[Symbol.asyncDispose]();
    const tookMs = clock.monotonicMs() - startedMs;
    assert.ok(tookMs > 200 && tookMs < 1_900, `${tookMs} ms`);
    assert.equal(fixture.calls[0], '/run/n|STOPPING=1|STATUS=stopping');
  });
});
