/** A hostile server: 100,000 random and malicious commands. No crash, no program that is not configured, flat memory. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { CommandDispatcher } from '../../../src/core/downlink/command-dispatcher.ts';
import { SILENT_LOGGER } from '../../../src/core/ports/log.ts';
import { allowedCommands } from '../../../src/remote-commands/allowed-commands.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const COMMANDS = 100_000;
const HEAP_GROWTH_MAX = 8 * 1024 * 1024;
const OWN_PROGRAMS: ReadonlySet<string> = new Set(['status', 'sample', 'doctor', 'config']);

it('100,000 hostile commands run no program that is not configured, and memory stays flat', async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const programs = new Set<string>();
  let replies = 0;
  const table = allowedCommands(
    {
      isOff: false,
      enabled: [],
      exec: [
        {
          name: 'count',
          argumentVector: ['/bin/count', '--to={to}'],
          parameters: [{ name: 'to', pattern: '[0-9]{1,3}' }],
          timeoutMs: 1_000,
          outputBytesMax: 1_024,
        },
      ],
    },
    {
      runProgram: async ([name = '']) => {
        programs.add(name);
        return { output: '{}' };
      },
      version: {},
      uptimeS: () => 0,
      events: () => ({}),
      reload: () => assert.fail('reload is not allowed'),
      restart: () => assert.fail('restart is not allowed'),
      prepareReboot: () => assert.fail('reboot is not allowed'),
    },
    async ({ argumentVector: [program, ...args] }) => {
      assert.match([program, ...args].join(' '), /^\/bin\/count --to=[0-9]{1,3}$/);
      programs.add(program);
      return { output: '' };
    },
  );
  const dispatcher = new CommandDispatcher({ clock, random: new FixedRandom(), log: SILENT_LOGGER });
  const serving = dispatcher.serve(
    table,
    async (_id, body) => {
      assert.equal(typeof JSON.parse(body), 'object');
      replies += 1;
      return { ok: true, value: undefined };
    },
    stop.signal,
  );
  const method = fc.oneof(
    fc.constantFrom('count', 'status', 'reboot', 'restart', '/bin/sh', '__proto__', 'constructor', ''),
    fc.string({ maxLength: 2_000 }),
  );
  const params = fc.oneof(fc.jsonValue(), fc.record({ to: fc.oneof(fc.nat(999), fc.string()) }));
  const command = fc.record({ id: fc.integer(), method, params });
  let heapBefore = 0;
  let sent = 0;
  for (let seed = 0; sent < COMMANDS; seed += 1) {
    for (const each of fc.sample(command, { seed, numRuns: 1_000 })) dispatcher.onCommand(each);
    sent += 1_000;
    await clock.advance(30_000);
    if (sent === 20_000) heapBefore = heapAfterCollection();
  }
  const growth = heapAfterCollection() - heapBefore;
  stop.abort();
  await serving;
  assert.ok(replies > 1_000, `${replies} replies`);
  assert.ok(programs.has('/bin/count'), 'the configured program ran');
  for (const program of programs) assert.ok(program === '/bin/count' || OWN_PROGRAMS.has(program), program);
  assert.ok(growth < HEAP_GROWTH_MAX, `the heap grew by ${growth} bytes`);
});

function heapAfterCollection(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
