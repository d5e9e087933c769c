/**
 * coaps in the shipped unit: the helper of the package firstlight-dtls, installed, killed, upgraded, removed and purged while the
 * agent runs; and a device whose credentials are a certificate.
 *
 * Promise under test: the helper has no more rights than the agent, whatever happens to it no reading is missing or stored
 * twice, and without the package the operator reads which one to install.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusJson } from '../../../src/cli/status/json.ts';
import { dtlsFrontProblem } from '../../../src/sandbox/coaps/dtls-front.ts';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import { Authority, opensslProblem, type Pem } from '../../doubles/certificates.ts';
import { readingTimes } from '../../reading-times.ts';
import { isTrueWithin } from '../../until.ts';
import { Gateway } from '../gateway.ts';
import { isOfEvent } from '../gateway-service.ts';
import { copyPackage, install, type Versions } from '../packages.ts';
import { EVERY_SECOND, readingGridOf, waitUntilUnbroken } from '../reading-grid.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { helperPids, helperProblems } from './dtls-helper.ts';
import { secretLeaks } from './secrecy.ts';

const WITHIN_MS = 60_000;
/** The agent looks again for a missing helper within two minutes. */
const FOUND_WITHIN_MS = 150_000;
const PACKAGE = 'firstlight-dtls';
const CA_FILE = '/etc/firstlight/ca.pem';
const CA_DROP_IN = '/etc/firstlight/conf.d/ca.toml';
const CERT_FILE = '/etc/firstlight/client.pem';
const KEY_FILE = '/run/credentials/firstlight.service/firstlight.key';
/** Readings are a second apart. */
const DOUBLED_MS_MAX = 500;

interface CoapsSite {
  readonly site: Site;
  readonly sandbox: Sandbox;
  readonly authority: Authority;
  /** Inside the machine. */
  readonly debs: Versions;
}

export function coaps(environment: Environment): Promise<Report> {
  return withCoaps(environment, async ({ site, sandbox, debs }, findings) => {
    await site.configure('', `coaps://${site.link.serverAddress}`);
    await writeFile(join(site.root, CA_DROP_IN), `[server]\nca-file = "${CA_FILE}"\n`, { mode: 0o644 });
    const booted = await site.boot();
    const { service } = booted;
    await expectNamed(booted, 0, findings, 'without the package');
    findings.expect(sandbox.devices().length === 0, 'a device appeared without the helper');
    const installedMs = Date.now();
    await expectFound(site, booted, debs.lower, findings, 'installed');
    const firstMs = readingGridOf(sandbox).firstMs;
    findings.expect(
      firstMs < installedMs,
      `the first reading is ${firstMs - installedMs} ms after the package was installed`,
    );
    await expectDownlink(sandbox, findings);
    const gateway = new Gateway(site, booted.machine);
    await expectDoctor(gateway, 'token', findings);

    for (const problem of await helperProblems(booted)) findings.problems.push(problem);
    await expectKill(site, booted, findings, 'killed');
    const [pid] = await helperPids(booted);
    await run(booted, install(debs.higher), findings);
    findings.expect((await helperPids(booted))[0] === pid, 'the upgrade of the package ended the helper');
    findings.expect(await site.isReceiving(WITHIN_MS), 'no telemetry after the upgrade of the package');
    await expectKill(site, booted, findings, 'killed after the upgrade');

    await run(booted, ['apt-get', 'remove', '-y', PACKAGE], findings);
    findings.expect(
      await site.isReceiving(WITHIN_MS),
      'no telemetry after the removal, with the helper still running',
    );
    await run(booted, ['apt-get', 'purge', '-y', PACKAGE], findings);
    const before = (await unavailableLines(booted)).length;
    await killHelper(booted);
    await expectNamed(booted, before, findings, 'purged');
    gateway.expectCheck(
      await gateway.doctorCheck('DTLS handshake'),
      'fail',
      /firstlight-dtls is not installed/,
    );
    await expectFound(site, booted, debs.higher, findings, 'installed again');

    gateway.expectNoSecret();
    findings.problems.push(...gateway.findings.problems);
    const restarts = await service.property('NRestarts');
    findings.expect(restarts === '0', `the agent was restarted ${restarts} times`);
    await expectNothingLost(site, booted, findings);
  });
}

/** A device whose credentials are a certificate; its key is in the credential store. */
export function coapsCertificate(environment: Environment): Promise<Report> {
  return withCoaps(environment, async ({ site, sandbox, authority, debs }, findings) => {
    const device = authority.issue();
    sandbox.core.admin.createDevice({ name: 'gw-certificate', token: 'replaced' });
    sandbox.core.admin.setCertificate('gw-certificate', device.cert);
    await writeDeviceFiles(site, device);
    const booted = await site.boot();
    const { machine, service } = booted;
    await run(booted, install(debs.lower), findings);
    await run(booted, ['systemctl', 'restart', 'firstlight'], findings);
    findings.expect(await site.isReceiving(WITHIN_MS), `no telemetry: ${(await service.status()).trim()}`);
    findings.expect(sandbox.coaps?.handshakes.resumed === 0, 'a session was resumed');
    for (const problem of await helperProblems(booted)) findings.problems.push(problem);
    await expectKill(site, booted, findings, 'killed');
    const gateway = new Gateway(site, machine);
    await expectDoctor(gateway, 'client certificate', findings);
    findings.problems.push(...gateway.findings.problems);
    const [, keyLine = ''] = device.key.split('\n');
    findings.problems.push(...(await secretLeaks(machine, { 'private key': keyLine })));
    await expectNothingLost(site, booted, findings);
    // systemd passes the key only to the running service.
    const check = await machine.run(['firstlight', 'config', 'check']);
    findings.expect(check.code === 0, `firstlight config check, service stopped: ${check.out.trim()}`);
  });
}

async function withCoaps(
  { installed, packages }: Environment,
  drive: (at: CoapsSite, findings: Findings) => Promise<void>,
): Promise<Report> {
  const findings = new Findings();
  const problem = dtlsFrontProblem() ?? (opensslProblem === false ? undefined : opensslProblem);
  if (problem !== undefined || !packages.dtls) {
    findings.skip(
      problem ?? 'the package firstlight-dtls was not built: it needs gcc, libssl-dev and dpkg-dev',
    );
    return findings;
  }
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  using authority = new Authority();
  const files = authority.issue({ names: `IP:${site.link.serverAddress}` });
  const sandbox = await site.openServer({ coaps: { port: 5684, files } });
  await writeFile(join(root.path, CA_FILE), authority.pem.cert, { mode: 0o644 });
  const debs = {
    lower: await copyPackage(packages.dtls.lower, root.path),
    higher: await copyPackage(packages.dtls.higher, root.path),
  };
  await drive({ site, sandbox, authority, debs }, findings);
  const devices = sandbox.devices().length;
  findings.expect(devices === 1, `${devices} devices`);
  const { all = 0, resumed = 0 } = sandbox.coaps?.handshakes ?? {};
  findings.figure(`${all} handshakes, ${resumed} of them resumed`);
  return findings;
}

/** As docs/endpoints.md says. */
async function writeDeviceFiles({ root, link }: Site, { cert, key }: Pem): Promise<void> {
  const server = `[server]\nurl = "coaps://${link.serverAddress}"\nspread = "0s"\nca-file = "${CA_FILE}"\n`;
  const dropIns = join(root, 'etc', 'firstlight', 'conf.d');
  const store = join(root, 'etc', 'credstore');
  for (const [directory, mode] of [
    [dropIns, 0o755],
    [store, 0o700],
  ] as const)
    await mkdir(directory, { recursive: true, mode });
  await writeFile(
    join(dropIns, 'site.toml'),
    `${server}cert-file = "${CERT_FILE}"\nkey-file = "${KEY_FILE}"\n${EVERY_SECOND}`,
    { mode: 0o644 },
  );
  await writeFile(join(root, CERT_FILE), cert, { mode: 0o644 });
  await writeFile(join(store, 'firstlight.key'), key, { mode: 0o600 });
}

/** The agent logs more than `before` times which package to install, and the status says so. */
async function expectNamed(booted: Booted, before: number, findings: Findings, what: string): Promise<void> {
  const isLogged = async () => (await unavailableLines(booted)).length > before;
  findings.expect(await isTrueWithin(isLogged, WITHIN_MS), `${what}: the journal has no FL-DTLS-UNAVAILABLE`);
  const last = (await unavailableLines(booted)).at(-1) ?? '';
  findings.expect(
    last.includes(`package ${PACKAGE} is installed`),
    `${what}: the log does not name it: ${last}`,
  );
  const shows = async () => {
    const { out } = await booted.machine.run(['firstlight', 'status']);
    return out.replace(/\s+/g, ' ').includes(`package ${PACKAGE}`);
  };
  findings.expect(await isTrueWithin(shows, WITHIN_MS), `${what}: the status does not name the package`);
}

async function unavailableLines({ service }: Booted): Promise<readonly string[]> {
  const journal = await service.journal();
  return journal.filter((entry) => isOfEvent(entry, 'FL-DTLS-UNAVAILABLE')).map(({ message }) => message);
}

/** After the installation the agent continues by itself, and every reading of the time before arrives. */
async function expectFound(
  site: Site,
  booted: Booted,
  deb: string,
  findings: Findings,
  what: string,
): Promise<void> {
  await run(booted, install(deb), findings);
  const installedMs = performance.now();
  findings.expect(
    await site.isReceiving(FOUND_WITHIN_MS),
    `${what}: no telemetry: ${(await booted.service.status()).trim()}`,
  );
  findings.figure(`${what}: online after ${seconds(performance.now() - installedMs)}`);
  await expectUnbroken(site, findings, what);
}

async function expectKill(site: Site, booted: Booted, findings: Findings, what: string): Promise<void> {
  const [before] = await helperPids(booted);
  await killHelper(booted);
  const killedMs = Date.now();
  const isReceived = () => readingGridOf(site.sandbox).lastMs > killedMs;
  findings.expect(await isTrueWithin(isReceived, WITHIN_MS), `${what}: no telemetry`);
  findings.figure(`${what}: next reading after ${seconds(Date.now() - killedMs)}`);
  const [after] = await helperPids(booted);
  findings.expect(after !== undefined && after !== before, `${what}: process ${before}, then ${after}`);
  await expectUnbroken(site, findings, what);
}

async function killHelper(booted: Booted): Promise<void> {
  for (const pid of await helperPids(booted)) await booted.machine.run(['kill', '-9', pid]);
}

async function expectUnbroken({ sandbox }: Site, findings: Findings, what: string): Promise<void> {
  const { missing, gaps, reported } = await waitUntilUnbroken(sandbox, Date.now(), WITHIN_MS);
  findings.expect(missing === 0, `${what}: ${missing} readings missing: ${JSON.stringify(gaps.slice(0, 5))}`);
  findings.expect(reported === 0, `${what}: ${reported} readings reported as lost`);
}

async function expectDownlink(sandbox: Sandbox, findings: Findings): Promise<void> {
  const { admin } = sandbox.core;
  const name = sandbox.devices()[0]?.name ?? '';
  const applied = () => String(sandbox.devices()[0]?.attributes.client['configApplied']);
  admin.setSharedAttributes(name, '{"logLevel":"debug"}');
  const isApplied = await isTrueWithin(() => applied().includes('"logLevel":"debug"'), WITHIN_MS);
  findings.expect(isApplied, `the shared attribute does not count: ${applied()}`);
  const outcome = await admin.sendRpc(name, { method: 'ping', timeoutMs: WITHIN_MS });
  const reply =
    outcome.ok && outcome.value.status === 'replied' ? outcome.value.reply : JSON.stringify(outcome);
  findings.expect(reply.includes('"pong":true'), `the command has no reply: ${reply}`);
}

/** Every check passes, and those of coaps are there. `credentials`: the check of the token or certificate. */
async function expectDoctor(gateway: Gateway, credentials: string, findings: Findings): Promise<void> {
  const { out, code } = await gateway.sh('firstlight doctor --json');
  const { checks } = JSON.parse(out) as { readonly checks: readonly { check: string; status: string }[] };
  const failed = checks.filter(({ status }) => status === 'fail');
  findings.expect(code === 0 && failed.length === 0, `doctor ended with ${code}: ${JSON.stringify(failed)}`);
  for (const name of ['DTLS handshake', 'COAPS path', credentials])
    findings.expect(
      checks.some(({ check, status }) => check === name && status === 'pass'),
      `doctor: ${name} has not passed: ${JSON.stringify(checks.map(({ check, status }) => `${check} ${status}`))}`,
    );
}

/** Stops the agent, and compares what it counts as delivered with what the server has. */
async function expectNothingLost(site: Site, { machine }: Booted, findings: Findings): Promise<void> {
  await machine.run(['systemctl', 'stop', 'firstlight']);
  const { deliveredReadings } = JSON.parse(
    (await machine.sh('firstlight status --json 2>/dev/null')).out,
  ) as StatusJson;
  const { readings } = readingGridOf(site.sandbox);
  // The answer to the last message may be missing.
  findings.expect(
    readings >= deliveredReadings && readings <= deliveredReadings + 1,
    `${deliveredReadings} readings delivered, ${readings} stored`,
  );
  const times = readingTimes(site.sandbox.points());
  const doubled = times.filter(
    (ts, index) => ts - (times[index - 1] ?? Number.NEGATIVE_INFINITY) < DOUBLED_MS_MAX,
  );
  doubled.push(...site.sandbox.duplicates().points.map(({ ts }) => ts));
  findings.expect(doubled.length === 0, `stored twice: ${doubled.slice(0, 5).join(', ')}`);
  findings.figure(`${readings} readings, none missing`);
}

async function run({ machine }: Booted, command: readonly string[], findings: Findings): Promise<void> {
  const { code, out } = await machine.run(command);
  findings.expect(code === 0, `${command.join(' ')} ended with ${code}: ${out.trim().split('\n').at(-1)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
