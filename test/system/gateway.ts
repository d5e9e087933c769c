/** A gateway as its operator sees it: the outputs of `firstlight status` and `firstlight doctor` as root. */

import type { StatusJson } from '../../src/cli/status/json.ts';
import { EVENTS, type EventId, splitSentence } from '../../src/core/events/catalogue.ts';
import { isTrueWithin } from '../until.ts';
import type { Machine } from './machine.ts';
import { Findings } from './scenario.ts';
import { PROVISIONING, type Site } from './site.ts';

const WITHIN_MS = 60_000;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const STATE = '/var/lib/firstlight';
export const FILES = `${STATE}/credentials.json ${STATE}/credentials.backup.json`;

/** A check in the JSON of the doctor. */
export interface DoctorCheck {
  readonly check: string;
  readonly status: 'pass' | 'skip' | 'fail' | 'missing';
  readonly observed: string;
  readonly meaning?: string;
  readonly action?: string;
}

export class Gateway {
  readonly findings = new Findings();
  readonly site: Site;
  readonly #machine: Machine;
  readonly #outputs: string[] = [];

  constructor(site: Site, machine: Machine) {
    this.site = site;
    this.#machine = machine;
  }

  async sh(line: string): Promise<{ readonly out: string; readonly code: number | null }> {
    // Without the environment variables of this process.
    const { out, code } = await this.#machine.run(['env', '-i', PATH, 'sh', '-c', `exec 2>&1; ${line}`]);
    this.#outputs.push(out);
    return { out, code };
  }

  expect(condition: boolean, violation: string): void {
    this.findings.expect(condition, violation);
  }

  /** The result of a check of the doctor. */
  async doctorCheck(name: string, command = 'firstlight doctor'): Promise<DoctorCheck> {
    const { out } = await this.sh(`${command} --json`);
    const { checks } = JSON.parse(out) as { readonly checks: readonly DoctorCheck[] };
    return checks.find(({ check }) => check === name) ?? { check: name, status: 'missing', observed: out };
  }

  provision(): Promise<DoctorCheck> {
    return this.doctorCheck('provisioning', 'firstlight doctor --provision 60');
  }

  expectCheck(result: DoctorCheck, status: DoctorCheck['status'], observed = /./): void {
    this.expect(
      result.status === status && observed.test(result.observed),
      `doctor: expected ${status} and ${observed}: ${JSON.stringify(result)}`,
    );
  }

  async status(): Promise<string> {
    const { out, code } = await this.sh('firstlight status');
    return `${out}\nexit ${code}`;
  }

  async expectStatus(...parts: readonly string[]): Promise<void> {
    let text = '';
    const isShown = async () => {
      text = await this.status();
      return parts.every((part) => text.includes(part));
    };
    this.expect(await isTrueWithin(isShown, WITHIN_MS), `status does not show ${parts.join(', ')}: ${text}`);
  }

  /** The status names the event with its remedy, and exits with 2 (action needed). */
  async expectActionNeeded(event: EventId): Promise<StatusJson> {
    const { remedy } = splitSentence(EVENTS[event].sentence);
    await this.expectStatus(event, remedy, 'exit 2');
    const status = JSON.parse((await this.sh('firstlight status --json')).out) as StatusJson;
    this.expect(status.state === 'not provisioned', `status --json: state ${status.state}`);
    return status;
  }

  async expectOneDeviceConnected(when: string): Promise<void> {
    this.expect(await this.site.isReceiving(WITHIN_MS), `${when}: no telemetry arrives`);
    const { length } = this.site.sandbox.devices();
    this.expect(length === 1, `${when}: ${length} devices`);
  }

  async expectServiceOwner(when: string): Promise<void> {
    const { out } = await this.sh(`stat -c '%U %a' ${FILES}`);
    this.expect(out === 'firstlight 600\nfirstlight 600\n', `${when}: the files are ${out}`);
  }

  expectNoSecret(): void {
    const all = this.#outputs.join('\n');
    const tokens = this.site.sandbox.devices().flatMap(({ token }) => token ?? []);
    for (const secret of [PROVISIONING.secret, ...tokens])
      this.expect(!all.includes(secret), 'an output contains a secret');
  }
}
