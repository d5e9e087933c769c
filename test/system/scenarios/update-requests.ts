/**
 * What a compromised agent, a damaged disk and a power cut can put in the way of root's part of an update, on a booted Debian.
 *
 * Promise under test: requests and damaged files start root's part once a minute and not in a loop; a link below the directory
 * of the agent is not followed; and the file of an operator is installed also if the power fails before it is taken.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTrueWithin } from '../../until.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { UpdateVersions } from './update-versions.ts';
import { shortenGate, WATCHDOG } from './updates.ts';

const ONLINE_WITHIN_MS = 60_000;
const INSTALLED_WITHIN_MS = 240_000;
const VERSION = '0.1.1';
const STATE = '/var/lib/private/firstlight';
const RUN = '/var/lib/firstlight-update/run';
const RESULT = '/var/lib/firstlight-update/result.json';
const REQUEST = '/run/firstlight/update-request';
const UNIT = 'firstlight-update.service';
/** How long starts are counted: many of a loop, one of a unit that waits a minute. */
const COUNTED_S = 10;

export async function updateRequests({ place, installed, packages }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  const versions = new UpdateVersions(join(place, 'requested-versions'), packages.higher);
  await site.openServer();
  await site.configure();
  await site.dropIn('watchdog', WATCHDOG);
  await shortenGate(root.path);
  await versions.trust(root.path);
  const booted = await site.boot();
  const { machine } = booted;
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'the gateway was not online before');

  await machine.sh(`mkdir -p ${STATE}/update; head -c 3000000 /dev/urandom >${STATE}/update/package`);
  // Each id twice: also one that has a result already.
  const request = `printf request-$((i / 2)) >${REQUEST}`;
  const many = `for i in $(seq ${COUNTED_S * 5}); do ${request}; sleep 0.2; done`;
  const requested = await startsDuring(booted, many);
  findings.figure(`${COUNTED_S * 5} requests: ${requested} starts`);
  findings.expect(requested === 1, `${COUNTED_S * 5} requests started root's part ${requested} times`);
  await expectProblem(booted, 'is not an update of Firstlight', findings, 'a file that is no update');

  // A link to a directory of root: with a signed update there, following it would install that.
  await writeFile(join(site.root, 'root', 'package'), await versions.update(VERSION));
  await machine.sh(`rm -rf ${STATE}/update ${REQUEST}; ln -s /root ${STATE}/update`);
  const linked = await startsDuring(booted, `i=1000; ${request}; sleep ${COUNTED_S}`);
  findings.expect(linked === 1, `a request with a link started root's part ${linked} times`);
  await expectProblem(booted, 'cannot be copied (ENOTDIR)', findings, 'a link in place of the directory');

  // The copy of the program and the record are damaged, as after an error of the disk.
  await machine.sh(
    `rm -rf ${STATE}/update ${RUN}/program/code; echo '{' >${RUN}/state.json; chmod 600 ${RUN}/state.json`,
  );
  await startsDuring(booted, `sleep ${COUNTED_S}`);
  await expectProblem(booted, 'state.json was damaged', findings, 'a damaged record');
  await machine.sh(`mv /usr/lib/firstlight/firstlight.mjs /root; rm -rf ${RUN}/program; i=2000; ${request}`);
  const damaged = await startsDuring(booted, `sleep ${COUNTED_S}`);
  findings.figure(`damaged program: ${damaged} starts in ${COUNTED_S} s`);
  findings.expect(damaged === 1, `a damaged program was started ${damaged} times`);
  await machine.sh(`mv /root/firstlight.mjs /usr/lib/firstlight; rm -f ${REQUEST}`);

  // As `firstlight update apply` leaves it if the power fails before the unit starts.
  await machine.sh(`systemctl stop firstlight-update.path ${UNIT}; cp /root/package ${RUN}/incoming; sync`);
  await site.cutPower();
  await expectInstalled(await site.boot(), findings);
  return findings;
}

/** Counts the starts of root's part while a line of shell runs, then makes it ready for another one. */
async function startsDuring({ machine }: Booted, line: string): Promise<number> {
  await machine.sh(`systemctl stop firstlight-update.path ${UNIT}; systemctl reset-failed ${UNIT}`);
  const { out: before } = await machine.sh('journalctl -o short-unix -n 1 --no-pager | tail -1');
  const since = Number.parseFloat(before) + 0.001;
  await machine.run(['systemctl', 'start', 'firstlight-update.path']);
  await machine.sh(line, (COUNTED_S + 60) * 1000);
  const { out } = await machine.sh(`journalctl --since @${since} --no-pager | grep -c 'Started ${UNIT}'`);
  return Number(out.trim());
}

async function expectProblem(
  { machine }: Booted,
  problem: string,
  findings: Findings,
  what: string,
): Promise<void> {
  let out = '';
  await isTrueWithin(async () => {
    ({ out } = await machine.run(['cat', RESULT]));
    return out.includes(problem);
  }, ONLINE_WITHIN_MS);
  findings.expect(out.includes(problem), `${what}: ${out.trim()}`);
  const { out: path } = await machine.run(['systemctl', 'is-active', 'firstlight-update.path']);
  findings.expect(path.trim() === 'active', `${what}: the path unit is ${path.trim()}`);
}

async function expectInstalled({ machine }: Booted, findings: Findings): Promise<void> {
  let out = '';
  const isInstalled = await isTrueWithin(async () => {
    ({ out } = await machine.sh(`cat ${RESULT}; ls ${RUN}; journalctl -u ${UNIT} --no-pager | tail -3`));
    return out.includes('"updated"') && !out.includes('state.json');
  }, INSTALLED_WITHIN_MS);
  findings.expect(isInstalled, `the file of the operator was not installed: ${out.trim()}`);
}
