/** Root's part of an update on a gateway whose power is cut before every one of its steps. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rememberFailed } from '../../../src/update/install/run-files.ts';
import { manifestOf, testKey, updateOf, updateWith } from '../signed-updates.ts';
import { AGENT_PATH, type Behaviour, UpdateGateway } from './update-gateway.ts';

const key = testKey();
const update = updateOf('0.2.0', key.key);
const BAD: readonly Behaviour[] = ['crashes', 'hangs', 'has no credentials', 'is not accepted'];

function gatewayWith(behaviour: Behaviour, cuts: readonly number[] = []): UpdateGateway {
  const gateway = new UpdateGateway(key, update, cuts);
  gateway.behaviours.set('0.2.0', behaviour);
  return gateway;
}

/** The numbers of the steps; of observations in a row only the first. */
function stepsWithoutRepetition({ steps }: UpdateGateway): number[] {
  return steps.flatMap((name, index) => (name === 'observe' && steps[index - 1] === name ? [] : index + 1));
}

/** One of the two versions, whole, running, and the result says which one. */
function assertSettled(gateway: UpdateGateway, version: string, what = ''): void {
  assert.deepEqual(gateway.package, { version, isWhole: true }, what);
  assert.equal(gateway.running, version, what);
  assert.equal(gateway.result?.outcome, version === '0.2.0' ? 'updated' : 'failed', what);
  const left = [...gateway.disk.keys()].filter((path) => path.includes('/run/'));
  assert.deepEqual(left, [gateway.files.keptPackage], what);
  assert.equal(gateway.disk.get(gateway.files.keptPackage)?.toString(), `package ${version}`, what);
}

describe('an update without a power cut', () => {
  test('a healthy version stays, and its package is kept for the next way back', async () => {
    const gateway = gatewayWith('healthy');
    await gateway.settle();
    assertSettled(gateway, '0.2.0');
    assert.equal(gateway.repacked, 1);
  });

  for (const behaviour of BAD)
    test(`a version that ${behaviour} goes back to the old one, and the result says why`, async () => {
      const gateway = gatewayWith(behaviour);
      await gateway.settle();
      assertSettled(gateway, '0.1.0');
      const sentence = {
        crashes: /ended by itself 3 times/,
        hangs: /did not run \(activating/,
        'has no credentials': /did not read its credentials/,
        'is not accepted': /delivered no telemetry that the server accepted/,
        healthy: /never/,
      }[behaviour];
      assert.match(gateway.result?.problem ?? '', sentence);
    });

  for (const behaviour of ['has no credentials', 'is not accepted'] as const)
    test(`a version that ${behaviour} goes back, also right after a start of the old one`, async () => {
      const gateway = gatewayWith(behaviour);
      gateway.statusLagMs = 10_000;
      await gateway.settle();
      assertSettled(gateway, '0.1.0');
    });

  test('a version that dpkg cannot install goes back', async () => {
    const gateway = gatewayWith('healthy');
    gateway.dpkgProblems.set('0.2.0', 'a dependency is missing');
    await gateway.settle();
    assertSettled(gateway, '0.1.0');
    assert.match(
      gateway.result?.problem ?? '',
      /dpkg did not install version 0.2.0: a dependency is missing/,
    );
  });

  test('a way back that dpkg or its lock refuses goes on for hours', async () => {
    const gateway = gatewayWith('crashes');
    gateway.dpkgProblems.set('0.1.0', 'no space');
    gateway.dpkgFailures.set('0.1.0', 12);
    gateway.onObserve = () => {
      gateway.isLockedTimes = 15;
    };
    await gateway.settle();
    assertSettled(gateway, '0.1.0');
    const configured = gateway.steps.lastIndexOf('configure what is pending');
    assert.equal(gateway.steps[configured + 1], 'unpack 0.1.0', 'dpkg completes first what it has begun');
    assert.ok(gateway.nowMs > 3 * 3_600_000);
  });

  test('a way back that this boot cannot end is reported and ends in the next one', async () => {
    const gateway = gatewayWith('crashes');
    gateway.dpkgProblems.set('0.1.0', 'no space');
    await gateway.settle();
    assert.ok(gateway.isPathStopped, 'nothing starts it again in this boot');
    assert.match(gateway.result?.problem ?? '', /0.1.0 could not be installed again yet \(no space\)/);
    const tries = gateway.steps.filter((step) => step === 'unpack 0.1.0').length;
    assert.ok(tries > 10 && tries < 50, `${tries}`);
    gateway.dpkgProblems.clear();
    gateway.boot();
    await gateway.settle();
    assertSettled(gateway, '0.1.0');
    assert.match(gateway.result?.problem ?? '', /ended by itself 3 times: see/);
  });

  test('a package manager that never ends leaves the old version untouched', async () => {
    const gateway = gatewayWith('healthy');
    gateway.isLockedTimes = 1_000;
    await gateway.settle();
    assert.equal(gateway.running, '0.1.0');
    assert.ok(!gateway.steps.some((step) => step.startsWith('unpack')));
    assert.equal(gateway.result?.outcome, 'refused');
    assert.match(gateway.result?.problem ?? '', /dpkg could not begin \(locked\)/);
    assert.deepEqual(gateway.failed, [], 'it may be assigned again');
  });

  for (const behaviour of ['healthy', 'crashes'] as const)
    test(`a third version that apt installs over one that ${behaviour} stays`, async () => {
      const gateway = gatewayWith(behaviour);
      let isInstalled = false;
      gateway.onObserve = () => {
        if (isInstalled || gateway.package.version !== '0.2.0') return;
        isInstalled = true;
        gateway.package = { version: '0.3.0', isWhole: true };
      };
      await gateway.settle();
      assert.ok(isInstalled);
      assert.deepEqual(gateway.package, { version: '0.3.0', isWhole: true });
      assert.equal(gateway.result?.outcome, 'replaced');
      assert.match(gateway.result?.problem ?? '', /version 0.3.0 was installed by another package manager/);
      assert.deepEqual(
        [...gateway.disk.keys()].filter((path) => path.includes('/run/')),
        [],
      );
    });

  test('a watchdog that is slower than the health gate lengthens it', async () => {
    const gateway = gatewayWith('healthy');
    gateway.watchdogMs = 12 * 60_000;
    await gateway.settle();
    assertSettled(gateway, '0.2.0');
  });

  test('the health before counts only if it is that of the process of the service', async () => {
    const gateway = gatewayWith('is not accepted');
    const { ports } = gateway;
    const { service } = ports;
    const foreign = {
      ...service,
      observe: async () =>
        gateway.package.version === '0.1.0'
          ? { ...(await service.observe()), mainPid: 99 }
          : service.observe(),
    };
    const { runInstallation } = await import('../../../src/update/install/run-installation.ts');
    await runInstallation({ ...ports, service: foreign }, new AbortController().signal);
    assertSettled(gateway, '0.2.0');
  });

  test('another package manager delays the installation', async () => {
    const gateway = gatewayWith('healthy');
    gateway.isLockedTimes = 3;
    await gateway.settle();
    assertSettled(gateway, '0.2.0');
  });

  test('the gate asks only for what the old version had', async () => {
    const gateway = gatewayWith('has no credentials');
    gateway.behaviours.set('0.1.0', 'has no credentials');
    await gateway.settle();
    assertSettled(gateway, '0.2.0');
  });
});

describe('an update with power cuts', () => {
  for (const behaviour of ['healthy', ...BAD] as const)
    test(`a cut before any step of a version that ${behaviour} ends in a whole version`, async () => {
      const version = behaviour === 'healthy' ? '0.2.0' : '0.1.0';
      const whole = gatewayWith(behaviour);
      await whole.settle();
      assert.ok(whole.steps.length > 15);
      for (const cut of stepsWithoutRepetition(whole)) {
        const gateway = gatewayWith(behaviour, [cut]);
        await gateway.settle();
        assertSettled(gateway, version, `cut before step ${cut}, ${whole.steps[cut - 1]}`);
      }
    });

  test('two cuts at any steps end in a whole version', async () => {
    for (const behaviour of ['healthy', 'crashes'] as const) {
      const whole = gatewayWith(behaviour);
      await whole.settle();
      for (const first of stepsWithoutRepetition(whole))
        for (const second of [1, 2, 3, 5, 8, 13, 21].map((later) => first + later)) {
          const gateway = gatewayWith(behaviour, [first, second]);
          await gateway.settle();
          assertSettled(gateway, behaviour === 'healthy' ? '0.2.0' : '0.1.0', `cuts ${first}, ${second}`);
        }
    }
  });

  test('a version under which the power fails again and again goes back', async () => {
    const gateway = gatewayWith('healthy');
    const isGate = () => gateway.steps.filter((name) => name === 'observe').length;
    for (let cut = 1; cut <= 400; cut += 1) {
      // Cuts the power at the second observation of every gate.
      gateway.cuts.splice(0, gateway.cuts.length, gateway.steps.length + 40);
      try {
        await gateway.run();
        break;
      } catch {
        assert.ok(isGate() >= 0);
      }
    }
    gateway.cuts.splice(0);
    await gateway.settle();
    assert.deepEqual(gateway.package, { version: '0.1.0', isWhole: true });
    assert.match(gateway.result?.problem ?? '', /interrupted 5 times/);
  });

  test('an abort during the gate leaves a state that the next start continues', async () => {
    const gateway = gatewayWith('healthy');
    const stop = new AbortController();
    const { ports } = gateway;
    const { runInstallation } = await import('../../../src/update/install/run-installation.ts');
    const result = await runInstallation(
      { ...ports, clock: { ...ports.clock, sleep: async () => stop.abort() } },
      stop.signal,
    );
    assert.equal(result.is, 'stopped');
    await gateway.settle();
    assertSettled(gateway, '0.2.0');
  });
});

describe('a refused update', () => {
  async function refusal(gateway: UpdateGateway): Promise<string> {
    await gateway.settle();
    assert.deepEqual(gateway.package, { version: '0.1.0', isWhole: true });
    assert.ok(!gateway.steps.some((step) => step.startsWith('unpack') || step === 'restart'));
    assert.equal(gateway.result?.outcome, 'refused');
    return gateway.result?.problem ?? '';
  }

  test('a file of another key touches nothing', async () => {
    const gateway = new UpdateGateway(testKey(), update);
    assert.match(await refusal(gateway), /no key of this gateway/);
  });

  test('without a key nothing is read', async () => {
    const gateway = new UpdateGateway(key, update);
    const { ports } = gateway;
    const { runInstallation } = await import('../../../src/update/install/run-installation.ts');
    const open = () => assert.fail('must not read');
    const disk = { ...ports.disk, open, openBeneath: open };
    const without = { ...ports, disk, trustedKeys: () => ({ keys: new Map(), problems: [] }) };
    await runInstallation(without, new AbortController().signal);
    assert.match(gateway.result?.problem ?? '', /no key in/);
  });

  test('a package that is not what the manifest says is refused', async () => {
    const parts = [Buffer.from('package 0.3.0')];
    const file = updateWith(manifestOf('0.2.0', parts), [key.key], parts);
    assert.match(
      await refusal(new UpdateGateway(key, file)),
      /is firstlight 0.3.0 all, and the manifest says/,
    );
  });

  test('an older version, a full disk and a missing file are refused', async () => {
    assert.match(
      await refusal(new UpdateGateway(key, updateOf('0.0.9', key.key))),
      /is older than the installed/,
    );
    for (const place of ['/usr', '/var/lib/dpkg', '/var/lib/firstlight-update/run']) {
      const full = new UpdateGateway(key, update);
      full.free.set(place, 100);
      assert.match(await refusal(full), new RegExp(`file system of ${place} has 100 bytes free`));
    }
    const missing = new UpdateGateway(key, update);
    missing.disk.clear();
    assert.match(await refusal(missing), /cannot be copied \(ENOENT\)/);
  });

  test('an update that failed is not tried again, unless the operator applies it', async () => {
    const gateway = gatewayWith('crashes');
    await gateway.settle();
    const { length } = gateway.steps;
    gateway.isRequested = true;
    gateway.request = 'request-2';
    await gateway.settle();
    assert.ok(!gateway.steps.slice(length).some((step) => step.startsWith('unpack')));
    assert.match(gateway.result?.problem ?? '', /this update failed before \(version 0.2.0 ended by itself/);
    gateway.disk.set(gateway.files.incoming, update);
    gateway.behaviours.set('0.2.0', 'healthy');
    await gateway.settle();
    assertSettled(gateway, '0.2.0');
    assert.equal(gateway.repacked, 1, 'the kept package is the way back');
    assert.deepEqual(gateway.failed, []);
  });

  test('failed updates are remembered over refusals and later versions, the last 32', async () => {
    const gateway = gatewayWith('crashes');
    const request = async (file: Buffer, id: string) => {
      gateway.disk.set(AGENT_PATH, file);
      gateway.isRequested = true;
      gateway.request = id;
      await gateway.settle();
    };
    await request(update, 'a');
    await request(updateOf('0.2.0', testKey().key), 'b');
    gateway.behaviours.set('0.2.1', 'crashes');
    await request(updateOf('0.2.1', key.key), 'c');
    const { length } = gateway.steps;
    await request(update, 'd');
    assert.match(gateway.result?.problem ?? '', /this update failed before/);
    assert.ok(!gateway.steps.slice(length).some((step) => step.startsWith('unpack')));
    for (let number = 0; number < 40; number += 1)
      rememberFailed(gateway.ports.disk, gateway.files, `digest ${number}`, 'x'.repeat(2_000));
    assert.equal(gateway.failed.length, 32);
    assert.equal(gateway.failed.at(-1)?.digest, 'digest 39');
  });

  test('a request that has a result already changes nothing', async () => {
    const gateway = gatewayWith('healthy');
    await gateway.settle();
    gateway.isRequested = true;
    await gateway.settle();
    assert.equal(gateway.result?.outcome, 'updated');
  });

  test('of a file without a valid signature only the head is read', async () => {
    const large = Buffer.concat([updateOf('0.2.0', testKey().key), Buffer.alloc(20_000_000)]);
    const gateway = new UpdateGateway(key, large);
    assert.match(await refusal(gateway), /no key of this gateway/);
    assert.ok(gateway.reads.reduce((sum, { length }) => sum + length, 0) < 10_000);
    assert.ok(!gateway.steps.some((step) => step.startsWith('write')));
  });

  test('an error of the disk while the package is copied is a refusal', async () => {
    const gateway = new UpdateGateway(key, update);
    const { ports } = gateway;
    const create = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const { runInstallation } = await import('../../../src/update/install/run-installation.ts');
    const end = await runInstallation(
      { ...ports, disk: { ...ports.disk, create } },
      new AbortController().signal,
    );
    assert.equal(end.is, 'refused');
    assert.match(gateway.result?.problem ?? '', /cannot be copied \(ENOSPC\)/);
  });

  test('a damaged record of an update is removed, and dpkg completes what it has begun', async () => {
    for (const text of ['', '{"at":"gate"}', '{"at":"nowhere","run":{}}']) {
      const gateway = gatewayWith('healthy');
      gateway.isRequested = false;
      gateway.disk.set(gateway.files.state, Buffer.from(text));
      await gateway.settle();
      assert.ok(gateway.steps.includes('configure what is pending'));
      assert.match(gateway.result?.problem ?? '', /state.json was damaged/);
    }
  });
});
