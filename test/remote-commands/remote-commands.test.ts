/** What the commands do: replies of the built-in ones, checked parameters of exec, and that nothing else runs. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { CommandResult } from '../../src/core/downlink/command-table.ts';
import type { CommandsConfig } from '../../src/core/model/commands-config.ts';
import { allowedCommands } from '../../src/remote-commands/allowed-commands.ts';
import type { AgentControls } from '../../src/remote-commands/built-in-commands.ts';
import type { ProgramOutput } from '../../src/remote-commands/exec-command.ts';
import { repetitions } from '../repetitions.ts';

const SIGNAL = new AbortController().signal;
const EXEC = {
  name: 'restart-modbus',
  argumentVector: ['/usr/local/bin/modbus', '--port={port}', 'restart'],
  parameters: [{ name: 'port', pattern: '[0-9]{1,5}' }],
  timeoutMs: 10_000,
  outputBytesMax: 4096,
} as const;

class Harness {
  readonly programs: (readonly string[])[] = [];
  readonly ended: string[] = [];
  output: ProgramOutput = { output: '{"state":"online"}' };
  canRestart = true;
  canReboot = true;
  readonly #config: CommandsConfig;

  constructor(config: Partial<CommandsConfig> = {}) {
    this.#config = {
      isOff: false,
      enabled: ['reload', 'restart', 'reboot', 'bundle'],
      exec: [EXEC],
      ...config,
    };
  }

  get table() {
    const agent: AgentControls = {
      runProgram: async (args) => {
        this.programs.push(args);
        return this.output;
      },
      version: { version: '1.2.3' },
      uptimeS: () => 12,
      events: () => ({ recent: [] }),
      reload: () => this.ended.push('reload'),
      restart: this.canRestart ? () => this.ended.push('restart') : undefined,
      prepareReboot: async () =>
        this.canReboot ? { reboot: () => this.ended.push('reboot') } : { problem: 'the unit is not enabled' },
    };
    return allowedCommands(this.#config, agent, async ({ argumentVector }) => {
      this.programs.push(argumentVector);
      return this.output;
    });
  }

  run(method: string, params: unknown = {}): Promise<CommandResult> | undefined {
    return this.table.allowed.get(method)?.run(params, SIGNAL);
  }
}

const codeOf = (result: CommandResult | undefined) => (result?.ok === false ? result.code : 'ok');

describe('built-in commands', () => {
  it('that read are allowed without any configuration; the others are not', () => {
    const { table } = new Harness({ enabled: [], exec: [] });
    assert.deepEqual([...table.allowed.keys()].sort(), [
      'config',
      'doctor',
      'events',
      'ping',
      'sample',
      'status',
      'version',
    ]);
    assert.deepEqual([...table.notAllowed].sort(), ['bundle', 'reboot', 'reload', 'restart']);
  });

  it('are all off with remote.commands = "off"', () => {
    assert.equal(new Harness({ isOff: true }).table.allowed.size, 0);
  });

  for (const [method, args] of [
    ['status', ['status', '--json']],
    ['sample', ['sample', '--json']],
    ['doctor', ['doctor', '--json']],
    ['config', ['config', 'show', '--json']],
  ] as const) {
    it(`${method} replies with what the program prints`, async () => {
      const harness = new Harness();
      const result = await harness.run(method);
      assert.deepEqual(result, { ok: true, reply: { state: 'online' } });
      assert.deepEqual(harness.programs, [args]);
    });
  }

  it('that print no JSON or do not finish reply with an error', async () => {
    const harness = new Harness();
    harness.output = { output: 'Segmentation fault' };
    assert.equal(codeOf(await harness.run('status')), 'failed');
    harness.output = { problem: 'did not finish within 29 s' };
    const result = await harness.run('status');
    assert.match(result?.ok === false ? result.error : '', /firstlight status --json did not finish/);
  });

  it('that end the process do so only after the reply', async () => {
    const harness = new Harness();
    for (const method of ['reload', 'restart', 'reboot']) {
      const result = await harness.run(method);
      assert.deepEqual(harness.ended, []);
      if (result?.ok) result.afterReply?.();
      assert.deepEqual(harness.ended.splice(0), [method]);
    }
  });

  it('that cannot work on this host say so', async () => {
    const harness = new Harness();
    harness.canRestart = false;
    harness.canReboot = false;
    assert.equal(codeOf(await harness.run('restart')), 'failed');
    assert.equal(codeOf(await harness.run('reboot')), 'failed');
  });

  it('take null, "" and {} for no parameters, and refuse any other', async () => {
    const harness = new Harness();
    for (const params of [null, undefined, '', {}])
      assert.equal(codeOf(await harness.run('ping', params)), 'ok');
    for (const params of [{ a: 1 }, [], 'x', 1, true])
      assert.equal(codeOf(await harness.run('ping', params)), 'bad-parameters', JSON.stringify(params));
  });
});

describe('a command that runs a program', () => {
  it('gets the parameter as part of one argument, and replies with its output', async () => {
    const harness = new Harness();
    harness.output = { output: 'done\n' };
    assert.deepEqual(await harness.run('restart-modbus', { port: 502 }), {
      ok: true,
      reply: { output: 'done\n' },
    });
    assert.deepEqual(harness.programs, [['/usr/local/bin/modbus', '--port=502', 'restart']]);
  });

  for (const [title, params] of [
    ['without its parameter', {}],
    ['with a value that does not match', { port: '502; reboot' }],
    ['with a line break after a value that matches', { port: '502\n' }],
    ['with an object as value', { port: { a: 1 } }],
    ['with an unknown parameter', { port: '502', other: '1' }],
    ['with an inherited name', JSON.parse('{"__proto__": "502"}')],
    ['with a list', ['502']],
    ['with a long value', { port: '5'.repeat(100_000) }],
  ] as const) {
    it(`is refused ${title}, without the value in the reply`, async () => {
      const harness = new Harness();
      const result = await harness.run('restart-modbus', params);
      assert.equal(codeOf(result), 'bad-parameters');
      assert.doesNotMatch(JSON.stringify(result), /502/);
      assert.deepEqual(harness.programs, []);
    });
  }

  it('never runs a program that the configuration does not name, whatever the server sends', async () => {
    const harness = new Harness();
    const method = fc.oneof(fc.constantFrom('restart-modbus', '/bin/sh', 'exec', '__proto__'), fc.string());
    await fc.assert(
      fc.asyncProperty(method, fc.jsonValue(), async (name, params) => {
        harness.programs.length = 0;
        await harness.run(name, params);
        for (const [program, ...args] of harness.programs) {
          if (program !== '/usr/local/bin/modbus')
            assert.ok(['status', 'sample', 'doctor', 'config'].includes(program ?? ''));
          else assert.match(args.join(' '), /^--port=[0-9]{1,5} restart$/);
        }
      }),
      { seed: 20_261_130, numRuns: repetitions(2_000) },
    );
  });
});
