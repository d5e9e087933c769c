/**
 * The real agent with a clock that is years wrong, under libfaketime: it reports the clock and waits for its
 * correction.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';
import { Authority, opensslProblem } from '../../doubles/certificates.ts';
import { openTlsFront } from '../../doubles/tls-front.ts';
import { FakeDate, noFaketime } from '../../host/clock/fake-date.ts';

const provisioning = { key: 'k', secret: 'a-provisioning-secret-nobody-may-see' };

async function setup() {
  const authority = new Authority();
  const sandbox = await openSandbox({ provisioning });
  const front = await openTlsFront(sandbox.httpPort, authority.issue());
  const place = await tempDir();
  const date = new FakeDate(join(place.path, 'date'));
  const file = await place.config(
    `[server]\nurl = "https://localhost:${front.port}"\nca-file = "${authority.pem.certFile}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-late"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`,
  );
  const run = () =>
    AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')], {
      TZ: 'UTC',
      ...date.environment,
    });
  const close = async () => {
    for (const each of [front, sandbox, place]) await each[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  };
  return { sandbox, front, date, run, [Symbol.asyncDispose]: close };
}

describe('a wrong clock', { skip: noFaketime || opensslProblem }, () => {
  for (const [what, year] of [
    ['before the certificate', 2019],
    ['after the certificate', 2041],
  ] as const) {
    it(`a clock ${what} is reported, and nothing is sent until it is correct`, {
      timeout: 90_000,
    }, async () => {
      await using harness = await setup();
      harness.date.set(Date.UTC(year, 5, 1));
      await using agent = harness.run();
      const line = await agent.line('event=FL-CLOCK-WRONG');
      assert.match(line, /the clock of this host is wrong.*check the time service/);
      const now = new Date().getUTCFullYear();
      assert.match(line, new RegExp(`clock of this host ${year}-06-01T.*, clock of the server ${now}-`));
      assert.doesNotMatch(harness.front.received(), /api|provision|secret/i);
      assert.deepEqual(harness.sandbox.devices(), []);
      harness.date.restore();
      await agent.line('first telemetry accepted');
      assert.equal(await agent.stop(), 0);
      assert.equal(agent.output.filter((each) => each.includes('event=FL-CERTIFICATE')).length, 0);
    });
  }
});
