/**
 * Sees every datagram when it leaves its sender, and what the disk would contain after a power cut at that
 * instant.
 *
 * It checks the order of acts, which no outcome shows as sharply: the intent is durable before the request
 * leaves, the token is durable before the response is acknowledged, and there is one name and one proposed
 * token for ever. Reports each broken promise once, with its time.
 */

import type { FailureReason } from '../../../src/core/failures/failure.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import type { PowerCutDisk } from '../../doubles/power-cut/power-cut-disk.ts';
import { isProvisioning, readHeader, readJson } from '../datagram-text.ts';
import type { Observer } from '../virtual-network.ts';
import { GATEWAY } from './strategies.ts';

export type PromiseName =
  | 'the name is the configured one'
  | 'one proposed token'
  | 'intent durable before the request'
  | 'token durable before the acknowledgement'
  | 'one device'
  | 'never stranded'
  | 'the stored token is the server’s'
  | 'provisioned, or the reason is logged'
  | 'the remedy works'
  | 'no command run twice'
  | 'no acknowledged command lost'
  | 'no setting that cuts off stays'
  | 'no settings write without a change'
  | 'settings and commands work after the faults'
  | 'stops in time'
  | 'never throws';

export interface BrokenPromise {
  readonly promise: PromiseName;
  readonly atMs: number;
  readonly detail: string;
}

/** One provisioning call of the agent on its transport. */
export interface Call {
  readonly start: number;
  endedMs?: number;
  outcome?: 'issued' | 'storage failed' | FailureReason;
}

export class PromiseChecker implements Observer {
  readonly broken: BrokenPromise[] = [];
  /** Provisioning datagrams that left the gateway, repetitions included. */
  requestsSent = 0;
  /** The current provisioning call. */
  call: Call | undefined;
  readonly #disk: PowerCutDisk;
  readonly #nowMs: () => number;
  #proposed: string | undefined;
  /** By port and message ID. */
  readonly #calls = new Map<string, Call>();
  /** The tokens of confirmable responses, by port and message ID. */
  readonly #issuedTokens = new Map<string, string>();

  constructor(disk: PowerCutDisk, nowMs: () => number) {
    this.#disk = disk;
    this.#nowMs = nowMs;
  }

  /** The call that sent the request. */
  callOf({ port, messageId }: { readonly port: number; readonly messageId: number }): Call | undefined {
    return this.#calls.get(`${port} ${messageId}`);
  }

  report(promise: PromiseName, detail: string): void {
    if (this.broken.some((each) => each.promise === promise)) return;
    this.broken.push({ promise, atMs: this.#nowMs(), detail });
  }

  onGatewaySend(port: number, bytes: Buffer): void {
    const { type, code, messageId } = readHeader(bytes);
    if (isProvisioning(bytes)) {
      if (this.call) this.#calls.set(`${port} ${messageId}`, this.call);
      return this.#checkRequest(readJson(bytes) ?? {});
    }
    if (type !== 'ACK' || code !== '0.00') return;
    const token = this.#issuedTokens.get(`${port} ${messageId}`);
    if (token === undefined) return;
    const isDurable = this.#disk.afterPowerCuts.every((record) => isProvisioned(record, token));
    if (!isDurable) this.report('token durable before the acknowledgement', this.#survivors());
  }

  onServerSend(port: number, bytes: Buffer): void {
    const { type, messageId } = readHeader(bytes);
    if (type !== 'CON' || !bytes.includes('credentialsValue')) return;
    const value = readJson(bytes)?.['credentialsValue'];
    if (typeof value === 'string') this.#issuedTokens.set(`${port} ${messageId}`, value);
  }

  #checkRequest(request: Readonly<Record<string, unknown>>): void {
    this.requestsSent += 1;
    const { deviceName, token } = request;
    if (deviceName !== GATEWAY.name) this.report('the name is the configured one', String(deviceName));
    const isDurable = this.#disk.afterPowerCuts.every(
      (record) => record?.deviceName === deviceName && record?.token?.reveal() === token,
    );
    if (!isDurable) this.report('intent durable before the request', this.#survivors());
    if (typeof token !== 'string') return;
    if (this.#proposed !== undefined && this.#proposed !== token) {
      this.report('one proposed token', 'a second token was proposed while the first may be valid');
    }
    this.#proposed = token;
  }

  #survivors(): string {
    return `a power cut now would leave ${this.#disk.afterPowerCuts.map((record) => record?.state ?? 'nothing').join(' or ')}`;
  }
}

function isProvisioned(record: CredentialRecord | undefined, token: string): boolean {
  return record?.state === 'provisioned' && record.token.reveal() === token;
}
