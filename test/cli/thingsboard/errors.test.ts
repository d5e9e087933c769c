/** Every error that an operator can meet ends in one sentence with its remedy, and changes nothing. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EX_FAILED, EX_TEMPFAIL, EX_USAGE } from '../../../src/app/exit-codes.ts';
import { Authority, opensslProblem } from '../../doubles/certificates.ts';
import { openTlsFront } from '../../doubles/tls-front.ts';
import { badRequest, Refusal } from '../../thingsboard/double/refusal.ts';
import {
  ADMIN,
  type DoubleOptions,
  type DoubleUser,
  RestDouble,
} from '../../thingsboard/double/rest-double.ts';
import { CommandHarness } from './command-harness.ts';

interface Mistake {
  readonly what: string;
  readonly double?: DoubleOptions;
  readonly password?: string;
  readonly intercept?: (method: string, path: string) => Refusal | undefined;
  readonly says: RegExp;
}

const as = (user: Partial<DoubleUser>): DoubleOptions => ({ users: [{ ...ADMIN, ...user }] });
const answer =
  (refusal: Refusal, on = '/api/system/info') =>
  (_: string, path: string) =>
    path === on ? refusal : undefined;

const MISTAKES: readonly Mistake[] = [
  { what: 'a wrong password', password: 'wrong', says: /rejects the user name or the password: check both/ },
  {
    what: 'a locked user',
    double: as({ login: 'locked' }),
    says: /does not let this user log in: User account is locked/,
  },
  { what: 'an inactive user', double: as({ login: 'inactive' }), says: /log in: User account is not active/ },
  {
    what: 'an expired password',
    double: as({ login: 'expired' }),
    says: /the password has expired: set a new one/,
  },
  {
    what: 'two-factor authentication',
    double: as({ login: 'two-factor' }),
    says: /create an API key .* --token-file/,
  },
  {
    what: 'a system administrator',
    double: as({ authority: 'SYS_ADMIN' }),
    says: /is the system administrator, .*: log in as an administrator of the tenant/,
  },
  {
    what: 'a customer user',
    double: as({ authority: 'CUSTOMER_USER' }),
    says: /is a user of a customer, .*: log in as an administrator/,
  },
  {
    what: 'a version before 4.0',
    double: { version: '3.9.1' },
    says: /ThingsBoard 3\.9\.1 is too old: upgrade it to 4\.0 or later/,
  },
  { what: 'a server without a version', double: { version: 'unknown' }, says: /does not say which version/ },
  {
    what: 'a right that a role does not give',
    intercept: answer(
      new Refusal(403, "You don't have permission to perform this operation!", 20),
      '/api/deviceProfile',
    ),
    says: /this user has no right for saving the device profile/,
  },
  {
    what: 'a limit of the tenant profile',
    intercept: answer(new Refusal(403, 'Dashboards limit reached', 41), '/api/dashboard'),
    says: /a limit of the tenant profile is reached while saving the dashboard .*: raise it/,
  },
  {
    what: 'a rate limit',
    intercept: answer(new Refusal(429, 'Too many requests for current tenant!', 33)),
    says: /limits the requests of this tenant .*: wait a minute and run the command again/,
  },
  {
    what: 'a refused alarm rule',
    intercept: answer(badRequest('Validation error: arguments must not be empty'), '/api/calculatedField'),
    says: /refuses saving the alarm rule Offline: Validation error: arguments must not be empty/,
  },
  {
    what: 'an internal error',
    intercept: answer(new Refusal(500, 'null', 2)),
    says: /internal error while reading the version/,
  },
  {
    what: 'a proxy without ThingsBoard',
    intercept: answer(Refusal.page(502, '<html>Bad Gateway</html>')),
    says: /a proxy answers with 502, but ThingsBoard behind it does not/,
  },
  {
    what: 'a web page',
    intercept: answer(Refusal.page(200, '<html>Welcome</html>'), '/api/auth/login'),
    says: /answers a web page \(status 200\): check that --url is the web interface/,
  },
  {
    what: 'another server',
    intercept: answer(Refusal.page(404, '<html>nginx</html>'), '/api/auth/login'),
    says: /answers a web page \(status 404\): check that --url/,
  },
];

describe('setup with', () => {
  for (const { what, double: options, password, intercept, says } of MISTAKES) {
    it(`${what} says so`, async () => {
      await using double = await RestDouble.open(options);
      using harness = new CommandHarness();
      if (intercept) double.intercept = intercept;
      const { code, text } = await harness.setup(harness.login(double, password));
      assert.match(text, says);
      assert.equal(code, EX_FAILED);
      assert.ok(!text.includes(ADMIN.password));
      assert.ok(!/\bat .*\.js:\d+/.test(text), 'no stack');
    });
  }

  it('a rejected token says so', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const { code, text } = await harness.setup({
      url: double.url,
      tokenFile: harness.file('token', 'tb_old'),
    });
    assert.match(text, /rejects the API key or token: check the file, and whether it has expired/);
    assert.equal(code, EX_FAILED);
    assert.ok(!text.includes('tb_old'));
  });

  it('a version without alarm rules makes the rest and says why', async () => {
    await using double = await RestDouble.open({ version: '4.2.2.3' });
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, 0);
    assert.match(text, /Note: ThingsBoard 4\.2\.2\.3 stores alarm rules in another form: none is made/);
    assert.equal(double.tenant.rules.size, 0);
    assert.equal(double.tenant.dashboards.size, 2);
  });

  it('PE, and a version newer than tested, are noted', async () => {
    await using double = await RestDouble.open({ version: '5.4.0', edition: 'PE' });
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, 0);
    assert.match(text, /Note: ThingsBoard 5\.4\.0 is newer than tested \(4\.3\)\./);
    assert.match(text, /Note: ThingsBoard PE is not tested/);
  });
});

describe('a connection', () => {
  it('to a closed port is a temporary failure that says what to check', async () => {
    const double = await RestDouble.open();
    const { url } = double;
    await double[Symbol.asyncDispose]();
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login({ url }));
    assert.equal(code, EX_TEMPFAIL);
    assert.match(text, /nothing listens on this port: check the port in --url/);
  });

  it('that ends without an answer says that https may be needed', async () => {
    await using double = await RestDouble.open();
    double.dropAfter = 0;
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login(double));
    assert.equal(code, EX_TEMPFAIL);
    assert.match(text, /closes the connection: check whether --url must begin with https/);
  });

  it('to a public address without encryption sends nothing', async () => {
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login({ url: 'http://203.0.113.7' }));
    assert.equal(code, EX_TEMPFAIL);
    assert.match(text, /leads to 203\.0\.113\.7 without encryption, .*: use https/);
  });

  it('over TLS needs a trusted certificate', { skip: opensslProblem }, async () => {
    await using double = await RestDouble.open();
    using authority = new Authority();
    const { cert, key } = authority.issue();
    await using front = await openTlsFront(double.port, { cert, key });
    using harness = new CommandHarness();
    const login = harness.login({ url: `https://localhost:${front.port}` });
    const untrusted = await harness.setup(login);
    assert.equal(untrusted.code, EX_TEMPFAIL);
    assert.match(untrusted.text, /does not trust the issuer of the server certificate: .* --ca-file/);
    assert.deepEqual(double.requests, []);
    const trusted = await harness.setup({ ...login, caFile: authority.pem.certFile });
    assert.equal(trusted.code, 0, trusted.text);
  });

  it('over TLS to another name is refused', { skip: opensslProblem }, async () => {
    await using double = await RestDouble.open();
    using authority = new Authority();
    const { cert, key } = authority.issue({ names: 'DNS:other.example.com' });
    await using front = await openTlsFront(double.port, { cert, key });
    using harness = new CommandHarness();
    const login = harness.login({ url: `https://localhost:${front.port}` });
    const { code, text } = await harness.setup({ ...login, caFile: authority.pem.certFile });
    assert.equal(code, EX_TEMPFAIL);
    assert.match(text, /certificate is for another host name: check the host in --url/);
  });

  it('with https to a port without TLS says so', async () => {
    await using double = await RestDouble.open();
    using harness = new CommandHarness();
    const { code, text } = await harness.setup(harness.login({ url: `https://127.0.0.1:${double.port}` }));
    assert.equal(code, EX_TEMPFAIL);
    assert.match(text, /must begin with http|closes the connection/);
  });

  it('uses the proxy of the environment for https', async () => {
    using harness = new CommandHarness();
    harness.environment = { HTTPS_PROXY: 'http://127.0.0.1:1' };
    const { text } = await harness.setup(harness.login({ url: 'https://tb.example.com' }));
    assert.match(text, /the proxy cannot be reached: check HTTPS_PROXY/);
  });
});

describe('a mistake on the command line', () => {
  const cases: readonly (readonly [string, (harness: CommandHarness) => object, RegExp])[] = [
    ['no user', () => ({}), /--user NAME or --token-file FILE is missing/],
    [
      'no password without a terminal',
      () => ({ user: 'x' }),
      /input is not a terminal, so give it with --password-file/,
    ],
    [
      'a user and a token',
      (h) => ({ user: 'x', tokenFile: h.file('t', 'x') }),
      /--token-file needs neither --user/,
    ],
    [
      'a missing password file',
      () => ({ user: 'x', passwordFile: '/none' }),
      /--password-file \/none does not exist/,
    ],
    [
      'an empty password file',
      (h) => ({ user: 'x', passwordFile: h.file('p', '\n') }),
      /must contain one line/,
    ],
    ['a CoAP URL', () => ({ url: 'coap://tb', user: 'x' }), /is not the web interface: it begins with http/],
    [
      'a coaps URL',
      () => ({ url: 'coaps://tb', user: 'x' }),
      /is not the web interface: it begins with http/,
    ],
    ['a URL with a password', () => ({ url: 'https://a:b@tb', user: 'x' }), /has user information/],
    [
      'no certificate in --ca-file',
      (h) => ({ user: 'x', caFile: h.file('ca', 'no PEM') }),
      /contains no valid certificate/,
    ],
    [
      'an inactivity of seconds',
      () => ({ user: 'x', inactivity: '30s' }),
      /--inactivity 30s is not a duration from 1m to 30d/,
    ],
    [
      'an invalid URL of the gateways',
      () => ({ user: 'x', serverUrl: 'mqtt://tb' }),
      /--server-url mqtt:\/\/tb has an unsupported scheme/,
    ],
  ];
  for (const [what, options, says] of cases) {
    it(`${what} is found before anything is sent`, async () => {
      using harness = new CommandHarness();
      const { code, text } = await harness.setup({ url: 'https://127.0.0.1:1', ...options(harness) });
      assert.equal(code, EX_USAGE, text);
      assert.match(text, says);
    });
  }
});
