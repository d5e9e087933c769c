/** The commands as an operator sees them: output, files, exit codes. */

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EX_CANTCREAT, EX_FAILED, EX_OK, EX_STOPPED, EX_USAGE } from '../../../src/app/exit-codes.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { ALARM_RULES } from '../../../src/thingsboard/assets/alarms/alarm-rules.ts';
import { ADMIN, API_KEY, jwtOf, RestDouble } from '../../thingsboard/double/rest-double.ts';
import { only } from '../../thingsboard/setup/setup-harness.ts';
import { CommandHarness } from './command-harness.ts';

const secretOf = (double: RestDouble): string => {
  const { profileData } = only(double.tenant.profiles.values()) as unknown as {
    profileData: { provisionConfiguration: { provisionDeviceSecret: string } };
  };
  return profileData.provisionConfiguration.provisionDeviceSecret;
};

describe('thingsboard setup', () => {
  it('says what was made, and prints the file of the gateways without the secret', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, EX_OK);
    const lines = text.split('\n');
    assert.equal(lines[0], `ThingsBoard 4.3.1.3 CE at ${double.url}, user ${ADMIN.name}`);
    assert.equal(lines[1], 'device profile  Firstlight gateways           made');
    assert.equal(lines.filter((line) => /^alarm rule .* made$/.test(line)).length, ALARM_RULES.length);
    assert.match(
      text,
      /\n\[server\]\nurl = "http:\/\/127\.0\.0\.1:\d+"\n\n\[provisioning\]\nkey = "[a-z0-9]{20}"\n# secret/,
    );
    assert.ok(!text.includes(secretOf(double)));
    assert.ok(!text.includes(ADMIN.password));
  });

  it('writes a file that the agent accepts, readable by its owner only', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const write = join(harness.directory, 'firstlight.toml');
    const serverUrl = 'coap://tb.example.com, https://tb.example.com';
    const { code, text } = await harness.setup({ ...harness.login(double), write, serverUrl });
    assert.equal(code, EX_OK, text);
    assert.equal(statSync(write).mode & 0o777, 0o600);
    const { config } = loadConfig({
      file: write,
      fileRequired: true,
      environment: {},
      names: { sensors: [], keys: [] },
    });
    assert.deepEqual(
      config.server.endpoints.map(({ url }) => url),
      ['coap://tb.example.com', 'https://tb.example.com'],
    );
    assert.equal(config.provisioning?.secret.reveal(), secretOf(double));
    assert.equal(config.provisioning?.key, only(double.tenant.profiles.values())['provisionDeviceKey']);
    assert.ok(!text.includes(secretOf(double)));
  });

  it('run again, changes nothing and keeps the file', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const options = { ...harness.login(double), write: join(harness.directory, 'firstlight.toml') };
    await harness.setup(options);
    const before = [readFileSync(options.write, 'utf8'), double.changes.length];
    const { code, text } = await harness.setup(options);
    assert.equal(code, EX_OK, text);
    assert.ok(!/made|updated/.test(text), text);
    assert.deepEqual([readFileSync(options.write, 'utf8'), double.changes.length], before);
  });

  it('does not overwrite another file', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const write = harness.file('firstlight.toml', '[server]\n');
    const { code, text } = await harness.setup({ ...harness.login(double), write });
    assert.equal(code, EX_CANTCREAT);
    assert.match(text, /exists with other content: delete it or name another file/);
    assert.equal(readFileSync(write, 'utf8'), '[server]\n');
  });

  it('a file that cannot be written is found before anything is made', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const write = join(harness.directory, 'none', 'firstlight.toml');
    const { code, text } = await harness.setup({ ...harness.login(double), write });
    assert.equal(code, EX_CANTCREAT);
    assert.match(text, /cannot be used \(ENOENT\): create it/);
    assert.deepEqual(double.requests, []);
  });

  it('--dry-run says what would be made, and makes nothing', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const { code, text } = await harness.setup({ ...harness.login(double), dryRun: true });
    assert.equal(code, EX_OK);
    assert.match(text, /^dashboard {7}Firstlight fleet {14}would be made$/m);
    assert.match(text, /Nothing was changed\.\n$/);
    assert.deepEqual(double.changes, []);
  });

  it('says what it left and how to reset it', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    await harness.setup(harness.login(double));
    const [rule, other] = [...double.tenant.rules.values()];
    double.tenant.rules.delete(rule?.id.id ?? '');
    double.tenant.edit('rules', other?.id.id ?? '', ({ configuration }) => ({
      configuration: { ...(configuration as object), clearRule: null },
    }));
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, EX_OK);
    assert.match(text, /^alarm rule {6}Offline {23}not made again: deleted by hand$/m);
    assert.match(text, /^alarm rule {6}Clock not synchronised {8}left as it is: changed by hand$/m);
    assert.match(text, /^2 left as they are; --reset makes them as new\.$/m);
  });

  it('asks for the password and does not show it', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    harness.typed = `${ADMIN.password}\r`;
    const { code, text } = await harness.setup({ url: double.url, user: ADMIN.name });
    assert.equal(code, EX_OK);
    assert.ok(text.startsWith(`Password of ${ADMIN.name}: \n`));
    assert.ok(!text.includes(ADMIN.password));
  });

  it('accepts an API key and a JWT from a file', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    for (const token of [API_KEY, jwtOf(ADMIN)]) {
      const tokenFile = harness.file('token', `${token}\n`);
      const { code, text } = await harness.setup({ url: double.url, tokenFile });
      assert.equal(code, EX_OK, text);
      assert.ok(!text.includes(token));
    }
  });

  it('a profile in which provisioning was switched off is named, with the remedy', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    await harness.setup(harness.login(double));
    const { id } = only(double.tenant.profiles.values());
    double.tenant.edit('profiles', id.id, () => ({ provisionType: 'DISABLED' }));
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, EX_FAILED);
    assert.match(text, /does not let devices be created: open "Device provisioning"/);
  });
});

describe('thingsboard remove', () => {
  it('lists what it would remove, asks, and removes it', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    await harness.setup(harness.login(double));
    harness.typed = 'n\n';
    const declined = await harness.remove(harness.login(double));
    assert.equal(declined.code, EX_FAILED);
    assert.match(declined.text, /to remove: dashboard "Firstlight fleet"/);
    assert.match(declined.text, /Nothing was changed\.\n$/);
    assert.equal(double.tenant.dashboards.size, 2);
    harness.typed = 'y\n';
    const confirmed = await harness.remove(harness.login(double));
    assert.equal(confirmed.code, EX_OK);
    assert.match(confirmed.text, /removed: device profile "Firstlight gateways"\n$/);
    assert.equal(double.tenant.profiles.size + double.tenant.dashboards.size + double.tenant.rules.size, 0);
  });

  it('without a terminal, needs --yes', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    await harness.setup(harness.login(double));
    const { code, text } = await harness.remove(harness.login(double));
    assert.equal(code, EX_USAGE);
    assert.match(text, /confirm with --yes\. Nothing was changed\./);
    assert.equal((await harness.remove({ ...harness.login(double), yes: true })).code, EX_OK);
  });

  it('--dry-run removes nothing', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    await harness.setup(harness.login(double));
    const before = double.changes.length;
    const { code } = await harness.remove({ ...harness.login(double), dryRun: true });
    assert.equal(code, EX_OK);
    assert.equal(double.changes.length, before);
  });

  it('names the number of devices that keep the profile', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    await harness.setup(harness.login(double));
    const { id } = only(double.tenant.profiles.values());
    double.tenant.addDevice(id.id);
    double.tenant.addDevice(id.id);
    const { text } = await harness.remove({ ...harness.login(double), yes: true });
    assert.match(text, /The device profile stays, because 2 devices use it\./);
    assert.equal(double.tenant.devices.size, 2);
  });

  it('finds nothing where nothing was made', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const { code, text } = await harness.remove({ ...harness.login(double), yes: true });
    assert.equal(code, EX_OK);
    assert.match(text, /There is nothing here that setup made\./);
  });
});

describe('an interruption', () => {
  it('ends with the code of Ctrl-C and says how to go on', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    double.intercept = () => {
      harness.stop.abort();
      return undefined;
    };
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, EX_STOPPED);
    assert.match(text, /Cancelled\. Run the command again to complete it\./);
  });
});
