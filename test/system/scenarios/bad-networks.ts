/**
 * Bad networks: the server or the name server is absent when the gateway boots, the link is down for a
 * minute, 30 % of the datagrams are lost.
 *
 * Promise under test: the gateway comes online by itself, and every reading of that time arrives with its
 * timestamp.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTrueWithin } from '../../until.ts';
import { openNameServer } from '../name-server.ts';
import { readingGridOf, waitUntilUnbroken } from '../reading-grid.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { Site } from '../site.ts';

const ONLINE_WITHIN_MS = 60_000;
/**
 * In the first minute of an outage the agent waits up to 20 s between attempts; a backlog is sent at ten
 * messages a second.
 */
const RECOVERS_WITHIN_MS = 90_000;
const ABSENT_MS = 25_000;
const DOWN_MS = 60_000;
const LOSSY_MS = 60_000;
const LOSS_PERCENT = 30;
/** Readings are spooled before the outage ends. */
const SPOOL_SOON = '[outbox]\nspool-after = "10s"\nflush-every = "10s"\n';

/** Nothing listens at the address of the server when the gateway boots. */
export function serverAbsent(environment: Environment): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    await site.configure(SPOOL_SOON);
    const { service } = await site.boot();
    await sleep(ABSENT_MS);
    findings.expect(await service.isActive(), 'the service is not active without a server');
    findings.expect(
      (await service.number('NRestarts')) === 0,
      'the service was restarted while the server was absent',
    );
    await site.openServer();
    await expectRecovery(site, findings);
  });
}

/** The name server does not respond when the gateway boots. */
export function nameServerAbsent(environment: Environment): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    const { serverAddress } = site.link;
    await using names = await openNameServer(serverAddress, serverAddress);
    await site.openServer();
    await writeFile(join(site.root, 'etc', 'resolv.conf'), `nameserver ${serverAddress}\n`);
    await site.configure(SPOOL_SOON, 'thingsboard.firstlight.test');
    const { service } = await site.boot();
    await sleep(ABSENT_MS);
    findings.expect(names.queryCount() > 0, 'the name server received no query');
    findings.expect(
      site.sandbox.devices().length === 0,
      'a device appeared although the server name cannot be resolved',
    );
    findings.expect(
      (await service.number('NRestarts')) === 0,
      'the service was restarted while the name server was silent',
    );
    findings.expect(await service.hasEvent('FL-DNS-FAILED'), 'the journal has no FL-DNS-FAILED');
    names.startAnswering();
    await expectRecovery(site, findings);
  });
}

export function linkDown(environment: Environment): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    await site.configure(SPOOL_SOON);
    await site.openServer();
    const { service } = await site.boot();
    findings.expect(
      await site.isReceiving(ONLINE_WITHIN_MS),
      'the gateway did not come online before the link went down',
    );
    await site.link.down();
    await sleep(DOWN_MS);
    findings.expect(await service.hasEvent('FL-SPOOLING-STARTED'), 'the journal has no FL-SPOOLING-STARTED');
    await site.link.up();
    await expectRecovery(site, findings);
    findings.expect(await service.hasEvent('FL-SERVER-REACHABLE'), 'the journal has no FL-SERVER-REACHABLE');
  });
}

export function lossyLink(environment: Environment): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    await site.configure(SPOOL_SOON);
    await site.openServer();
    await site.link.lose(LOSS_PERCENT);
    site.sandbox.setKnobs({ lossIn: LOSS_PERCENT / 100 });
    await site.boot();
    findings.expect(
      await site.isReceiving(ONLINE_WITHIN_MS),
      `the gateway did not come online with ${LOSS_PERCENT} % loss`,
    );
    await sleep(LOSSY_MS);
    const lost = await site.link.lostDatagrams();
    findings.figure(
      `${lost} datagrams to the gateway lost, ${readingGridOf(site.sandbox).readings} readings stored meanwhile`,
    );
    findings.expect(lost > 0, 'the link lost no datagram');
    await site.link.lose(0);
    site.sandbox.setKnobs({ lossIn: 0 });
    await expectRecovery(site, findings);
  });
}

async function withLink(
  { installed }: Environment,
  drive: (site: Site, findings: Findings) => Promise<void>,
): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await drive(site, findings);
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${devices} devices`);
  return findings;
}

/** After the fault is over the gateway must come online by itself, and no reading may be missing. */
async function expectRecovery(site: Site, findings: Findings): Promise<void> {
  const restoredMs = Date.now();
  const isReceived = () => readingGridOf(site.sandbox).lastMs >= restoredMs;
  const isOnline = await isTrueWithin(isReceived, RECOVERS_WITHIN_MS);
  const tookS = Math.round((Date.now() - restoredMs) / 1000);
  findings.expect(isOnline, `the gateway did not come online by itself within ${tookS} s`);
  const { readings, missing, gaps, reported } = await waitUntilUnbroken(
    site.sandbox,
    restoredMs,
    RECOVERS_WITHIN_MS,
  );
  findings.figure(`online ${tookS} s after, ${readings} readings`);
  findings.expect(
    missing === 0,
    `${missing} of ${readings + missing} readings missing: ${JSON.stringify(gaps.slice(0, 5))}`,
  );
  findings.expect(reported === 0, `${reported} readings reported as lost`);
}
