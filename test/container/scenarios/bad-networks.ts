/**
 * Bad roads: the server or the name server is away when the gateway boots, the cable is out for a minute, three of ten datagrams get lost.
 *
 * The promise under test: it comes online by itself, and every reading of that time arrives, with its date.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openNameServer } from '../name-server.ts';
import { readingGridOf, requireUnbroken } from '../reading-grid.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { Site } from '../site.ts';
import { until } from '../until.ts';

const ONLINE_WITHIN_MS = 60_000;
/** The waits of the first minute of an outage are up to 20 s, and a backlog comes at ten messages a second. */
const HEALS_WITHIN_MS = 90_000;
const AWAY_MS = 25_000;
const DOWN_MS = 60_000;
const LOSSY_MS = 60_000;
const LOSS_PERCENT = 30;
/** Readings go to the disk early enough to be there when it ends. */
const SPOOL_SOON = '[outbox]\nspool-after = "10s"\nflush-every = "10s"\n';

/** Nothing listens at the server's address when the gateway boots. */
export function serverAbsent(environment: Ground): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    await site.configure(SPOOL_SOON);
    const { service } = await site.boot();
    await sleep(AWAY_MS);
    findings.expect(await service.isActive(), 'the service is not active without a server');
    findings.expect((await service.number('NRestarts')) === 0, 'it was restarted while the server was away');
    await site.openServer();
    await comesOnline(site, findings);
  });
}

/** The name of the server cannot be resolved when the gateway boots, because nobody answers. */
export function nameServerAbsent(environment: Ground): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    const { serverAddress } = site.link;
    await using names = await openNameServer(serverAddress, serverAddress);
    await site.openServer();
    await writeFile(join(site.root, 'etc', 'resolv.conf'), `nameserver ${serverAddress}\n`);
    await site.configure(SPOOL_SOON, 'thingsboard.firstlight.test');
    const { service } = await site.boot();
    await sleep(AWAY_MS);
    findings.expect(names.questions() > 0, 'the name server was never asked');
    findings.expect(site.sandbox.devices().length === 0, 'a device appeared though its server has no name');
    findings.expect(
      (await service.number('NRestarts')) === 0,
      'it was restarted while the name server was away',
    );
    const logged = await service.output('the host name of the server cannot be resolved');
    findings.expect(logged, 'the journal does not say that the name cannot be resolved');
    names.speak();
    await comesOnline(site, findings);
  });
}

export function linkDown(environment: Ground): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    await site.configure(SPOOL_SOON);
    await site.openServer();
    const { service } = await site.boot();
    findings.expect(
      await site.isReceiving(ONLINE_WITHIN_MS),
      'it did not come online before the link went down',
    );
    await site.link.down();
    await sleep(DOWN_MS);
    const spooled = await service.output('being stored on disk');
    findings.expect(spooled, 'the journal does not say that readings are kept on the disk');
    await site.link.up();
    await comesOnline(site, findings);
    findings.expect(
      await service.output('the server responds again'),
      'the journal does not say that it is over',
    );
  });
}

export function lossyRoad(environment: Ground): Promise<Report> {
  return withLink(environment, async (site, findings) => {
    await site.configure(SPOOL_SOON);
    await site.openServer();
    await site.link.lose(LOSS_PERCENT);
    site.sandbox.setKnobs({ lossIn: LOSS_PERCENT / 100 });
    await site.boot();
    findings.expect(
      await site.isReceiving(ONLINE_WITHIN_MS),
      `it did not come online with ${LOSS_PERCENT} % loss`,
    );
    await sleep(LOSSY_MS);
    const lost = await site.link.lost();
    findings.figure(
      `${lost} datagrams to the gateway lost, ${readingGridOf(site.sandbox).readings} readings stored meanwhile`,
    );
    findings.expect(lost > 0, 'the road lost nothing');
    await site.link.lose(0);
    site.sandbox.setKnobs({ lossIn: 0 });
    await comesOnline(site, findings);
  });
}

async function withLink(
  { installed }: Ground,
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

/** The faults are healed: now it must be heard again, and then nothing may be missing. */
async function comesOnline(site: Site, findings: Findings): Promise<void> {
  const healedMs = Date.now();
  const heardAgain = () => readingGridOf(site.sandbox).lastMs >= healedMs;
  const isOnline = await until(heardAgain, HEALS_WITHIN_MS);
  const tookS = Math.round((Date.now() - healedMs) / 1000);
  findings.expect(isOnline, `it did not come online by itself within ${tookS} s`);
  const {
    readings,
    missing,
    gaps,
    reported: logged,
  } = await requireUnbroken(site.sandbox, healedMs, HEALS_WITHIN_MS);
  findings.figure(`online ${tookS} s after, ${readings} readings`);
  findings.expect(
    missing === 0,
    `${missing} of ${readings + missing} readings missing: ${JSON.stringify(gaps.slice(0, 5))}`,
  );
  findings.expect(logged === 0, `${logged} readings told as lost`);
}
