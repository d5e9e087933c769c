/**
 * The commands of a simulated gateway, and the record of what became of each: sent and acknowledged (the server's side), executed
 * and answered (the gateway's side). Checked afterwards: none ran twice, and none was lost that the gateway acknowledged.
 */

import { REMEMBERED_MS } from '../../../src/core/downlink/command-history.ts';
import type { CommandDefinition, CommandTable } from '../../../src/core/downlink/command-table.ts';
import { isJsonObject } from '../../../src/core/model/json-object.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';

/** `read` may run again after a restart of the agent; the others change something, and `slow` takes a minute. */
export const METHODS = ['read', 'change', 'slow'] as const;
export type Method = (typeof METHODS)[number];

const DURATION_MS: Readonly<Record<Method, number>> = { read: 200, change: 1_000, slow: 60_000 };
/** Of two clocks of one host, ms. */
const TOLERANCE_MS = 5_000;
/** A process that ends so soon after the acknowledgement may have taken the command with it, ms. */
const LAST_MS = 1_000;

export interface SentCommand {
  /** Its number in this record; the server's ids repeat. */
  readonly serial: number;
  /** Of the server; -1: not assigned yet. */
  id: number;
  readonly method: Method;
  readonly sentMs: number;
  readonly expiresMs: number;
  readonly isTwoWay: boolean;
  /** The gateway acknowledged it; the process that did. */
  acknowledged?: { readonly atMs: number; readonly process: number };
  replied: number;
}

interface Execution {
  readonly serial: number;
  readonly key: string;
  readonly isReadOnly: boolean;
  readonly process: number;
  readonly boot: string;
  readonly bootMs: number;
}

/** A process of the agent; undefined ends: it runs. */
export interface ProcessEnd {
  readonly number: number;
  readonly endedMs: number | undefined;
}

export class CommandRecord {
  readonly sent: SentCommand[] = [];
  readonly executions: Execution[] = [];
  /** Replies that the gateway tried to post, by key. */
  readonly attempts = new Map<string, number[]>();
  readonly #nowMs: () => number;
  /** Methods of the ids that a process has seen, for its replies. */
  readonly #methods = new Map<number, Method>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  send(command: Omit<SentCommand, 'serial' | 'sentMs' | 'replied'>): SentCommand {
    const sent: SentCommand = { ...command, serial: this.sent.length, sentMs: this.#nowMs(), replied: 0 };
    this.sent.push(sent);
    return sent;
  }

  onDelivered({ id, method }: SentCommand): void {
    this.#methods.set(id, method);
  }

  /** The gateway tries to post a reply. */
  onReply(id: number): void {
    const key = keyOf(id, this.#methods.get(id) ?? 'read');
    this.attempts.set(key, [...(this.attempts.get(key) ?? []), this.#nowMs()]);
  }

  /** The commands of one process; ids come back in the parameters. */
  table(process: number, clock: Pick<Clock, 'bootId' | 'bootMs' | 'sleep'>): CommandTable {
    const definition = (method: Method): CommandDefinition => ({
      timeoutMs: 90_000,
      isReadOnly: method === 'read',
      run: async (params, signal) => {
        const { serial = -1, id = -1 } = isJsonObject(params)
          ? (params as Partial<Record<'serial' | 'id', number>>)
          : {};
        this.executions.push({
          serial,
          key: keyOf(id, method),
          isReadOnly: method === 'read',
          process,
          boot: clock.bootId,
          bootMs: clock.bootMs(),
        });
        await clock.sleep(DURATION_MS[method], signal);
        return signal.aborted
          ? { ok: false, code: 'failed', error: 'stopped' }
          : { ok: true, reply: { serial } };
      },
    });
    return {
      allowed: new Map(METHODS.map((method) => [method, definition(method)])),
      notAllowed: new Set(),
    };
  }

  /** Keys that ran twice within the window; `isRemembered`: over a restart of the agent in one boot, too. */
  executedTwice(isRemembered: boolean): readonly string[] {
    return this.executions.flatMap((each, index) => {
      const before = this.executions
        .slice(0, index)
        .findLast(
          ({ key, boot, process }) =>
            key === each.key &&
            boot === each.boot &&
            (process === each.process || (isRemembered && !each.isReadOnly)),
        );
      if (!before || each.bootMs - before.bootMs >= REMEMBERED_MS - TOLERANCE_MS) return [];
      const afterS = Math.round((each.bootMs - before.bootMs) / 1000);
      return [`${each.key} by process ${before.process} and ${each.process}, ${afterS} s later`];
    });
  }

  /** Commands that the gateway acknowledged, and neither executed nor answered. */
  lost(processes: readonly ProcessEnd[]): readonly string[] {
    const executed = new Set(this.executions.map(({ serial }) => serial));
    return this.sent.flatMap(({ serial, id, method, acknowledged }) => {
      if (!acknowledged || executed.has(serial)) return [];
      const { atMs, process } = acknowledged;
      const answered = this.attempts.get(keyOf(id, method))?.some((ms) => ms >= atMs - LAST_MS);
      const end = processes.find(({ number }) => number === process)?.endedMs;
      if (answered || (end !== undefined && end - atMs <= LAST_MS)) return [];
      return [`${keyOf(id, method)} of process ${process}, acknowledged at ${Math.round(atMs / 1000)} s`];
    });
  }
}

function keyOf(id: number, method: Method): string {
  return `${id} ${method}`;
}
