/** The settings of the loops while the server's settings are on trial. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createAgentSettings } from '../../src/app/agent-instance.ts';
import { ConfigFixture, SERVER } from '../config/config-fixture.ts';

const PAIR = '[provisioning]\nkey = "k"\nsecret = "s"\n';

it('a token that a server.url on trial rejects is not replaced, and later it is', () => {
  using fixture = new ConfigFixture();
  const { config } = fixture.load(SERVER + PAIR);
  const remote = { isOnTrial: true, isServerOnTrial: true };
  const settings = createAgentSettings(config, 'gw', remote);
  assert.equal(settings.reprovision, false);
  remote.isServerOnTrial = false;
  assert.equal(settings.reprovision, true, 'the loops run on when the trial ends');
});

it('without a pair or with after-success = "forget" no token is replaced', () => {
  using fixture = new ConfigFixture();
  for (const toml of [SERVER, `${SERVER}${PAIR}after-success = "forget"\n`])
    assert.equal(createAgentSettings(fixture.load(toml).config, 'gw').reprovision, false);
});

it('a trial leaves most of its time for telemetry, whatever the spread is', () => {
  using fixture = new ConfigFixture();
  const { config } = fixture.load(`${SERVER}spread = "1h"\n`);
  const onTrial = createAgentSettings(config, 'gw', { isOnTrial: true, isServerOnTrial: false });
  assert.deepEqual([onTrial.spreadMs, onTrial.firstRequestMsMax], [3_600_000, 60_000]);
  assert.equal(createAgentSettings(config, 'gw').firstRequestMsMax, undefined);
});

it('a gateway at a URL of the server does not provision again', () => {
  using fixture = new ConfigFixture();
  const { config } = fixture.load(`${SERVER}[provisioning]\nkey = "k"\nsecret = "s"\n`);
  const remote = { isOnTrial: false, isServerOnTrial: false };
  assert.equal(createAgentSettings(config, 'gw', remote, true).reprovision, true);
  assert.equal(createAgentSettings(config, 'gw', remote, false).reprovision, false);
});
