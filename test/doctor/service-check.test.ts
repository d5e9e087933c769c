/** The service check, on the output of systemctl 257: a service that runs, that was stopped, and that systemd cannot start. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serviceCheck } from '../../src/doctor/service-check.ts';
import type { HostFindings } from '../../src/doctor/service-failure.ts';
import { parseUnitState } from '../../src/doctor/unit-state.ts';

const { signal } = new AbortController();
const EXEC_START =
  'ExecStart={ path=/usr/bin/node ; argv[]=/usr/bin/node --gc-global /usr/lib/firstlight/firstlight.mjs run ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }';

function show(properties: Readonly<Record<string, string | number>>): string {
  const common = {
    LoadState: 'loaded',
    UnitFileState: 'enabled',
    ActiveState: 'active',
    SubState: 'running',
    ExecMainCode: 0,
    ExecMainStatus: 0,
    ExecMainExitTimestampMonotonic: 0,
    WatchdogUSec: '3min',
    ImportCredential: '"firstlight.*"',
  };
  const lines = Object.entries({ ...common, ...properties }).map(([name, value]) => `${name}=${value}`);
  return `${[...lines, EXEC_START].join('\n')}\n`;
}

const failing = (code: number, status: number) =>
  show({
    ActiveState: 'activating',
    SubState: 'auto-restart',
    ExecMainCode: code,
    ExecMainStatus: status,
    ExecMainExitTimestampMonotonic: 12_500_000,
  });

async function check(output: string | undefined, findings: HostFindings = {}) {
  const unit = output === undefined ? undefined : parseUnitState(output);
  const versions = { running: '0.1.0', installed: '0.1.0' };
  return await serviceCheck(
    async () => unit,
    () => findings,
    versions,
  ).run(signal);
}

describe('the service check', () => {
  it('the service check passes for an active service with its watchdog', async () => {
    assert.deepEqual(await check(show({})), { status: 'pass', observed: 'enabled, active, watchdog 3min' });
  });

  it('the service check is skipped without systemd or without the unit', async () => {
    assert.equal((await check(undefined)).status, 'skip');
    assert.equal((await check(show({ LoadState: 'not-found' }))).status, 'skip');
  });

  const codes: readonly [code: number, status: number, name: RegExp, meaning: RegExp, action: RegExp][] = [
    [1, 203, /203\/EXEC$/, /Node: it is missing, or built for another processor/, /^install Node/],
    [2, 4, /signal ILL$/, /built for another processor/, /^install Node/],
    [3, 4, /signal ILL$/, /built for another processor/, /^install Node/],
    [1, 217, /217\/USER$/, /user of the service/, /systemd-sysusers/],
    [1, 226, /226\/NAMESPACE$/, /sandbox/, /journalctl.*nesting=1/],
    [1, 238, /238\/STATE_DIRECTORY$/, /state directory/, /journalctl/],
    [1, 243, /243\/CREDENTIALS$/, /credentials/, /provisioning\.secret-file/],
  ];
  for (const [code, status, name, meaning, action] of codes) {
    it(`the service check explains ${name.source.replaceAll(/[\\$]/g, '')} (${code})`, async () => {
      const result = await check(failing(code, status));
      assert.ok(result.status === 'fail');
      assert.match(result.observed, name);
      assert.match(result.meaning, meaning);
      assert.match(result.action, action);
    });
  }

  it('the service check names what was found on the host', async () => {
    const state = { cause: '/var/lib/firstlight is a mount point', remedy: 'mount it elsewhere' };
    const node = { cause: '/usr/bin/node is a link', remedy: 'install it' };
    const inState = await check(failing(1, 238), { state, node });
    assert.deepEqual(inState.status === 'fail' && [inState.meaning, inState.action], [
      state.cause,
      state.remedy,
    ]);
    const inNode = await check(failing(1, 203), { state, node });
    assert.deepEqual(inNode.status === 'fail' && [inNode.meaning, inNode.action], [node.cause, node.remedy]);
    const later = await check(show({}), { node });
    assert.equal(later.observed, 'the service is active, but could not start again');
  });

  it('the service check leaves other exits to the log of the agent', async () => {
    for (const [code, status, text] of [
      [1, 78, /its last exit code was 78/],
      [2, 9, /its last signal was 9/],
    ] as const) {
      const result = await check(failing(code, status));
      assert.ok(result.status === 'fail');
      assert.match(result.observed, text);
      assert.match(result.action, /journalctl/);
    }
    const stopped = await check(show({ ActiveState: 'inactive', SubState: 'dead' }));
    assert.match(stopped.status === 'fail' ? stopped.action : '', /^start it/);
  });

  it('the time of the last exit is read in milliseconds', () => {
    const { lastExitMs, program, canImportCredentials } = parseUnitState(failing(1, 203));
    assert.deepEqual([lastExitMs, program, canImportCredentials], [12_500, '/usr/bin/node', true]);
    assert.equal(parseUnitState('LoadState=loaded\n').canImportCredentials, false);
  });
});
