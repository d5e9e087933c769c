/**
 * The commands of the last ten minutes, by id and method, so that none runs twice: the server sends a command again when
 * its acknowledgement was lost, and its ids repeat after a restart (contract section 6).
 *
 * Commands that change something are stored before they run, for a restart of the agent in between. The store is for this
 * boot only: a power cut forgets them.
 */

import type { Clock } from '../ports/clock.ts';

/** How long a command is remembered, ms. */
export const REMEMBERED_MS = 10 * 60_000;
/** More than the rate limit admits in that time; the oldest is forgotten. */
const COMMANDS_MAX = 512;
/** Of all kept replies, characters; of the oldest ones only the fact that they were sent is kept. */
const REPLIES_CHARACTERS_MAX = 256 * 1024;

/** A command that a restart must not repeat: its key, and when it began, ms since boot. */
export interface StartedCommand {
  readonly key: string;
  readonly bootMs: number;
}

/** Keeps commands for the rest of this boot. Neither method throws. */
export interface StartedCommandStore {
  load(): readonly StartedCommand[];
  save(commands: readonly StartedCommand[]): void;
}

interface KnownCommand extends StartedCommand {
  readonly isStored: boolean;
  /** Absent: it is running, or its reply is no longer kept. */
  reply?: string;
  isRunning: boolean;
}

export class CommandHistory {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #store: StartedCommandStore | undefined;
  /** In the order in which they began. */
  readonly #known = new Map<string, KnownCommand>();
  #replyCharacters = 0;

  constructor(clock: Pick<Clock, 'bootMs'>, store?: StartedCommandStore) {
    this.#clock = clock;
    this.#store = store;
    for (const { key, bootMs } of store?.load() ?? [])
      this.#known.set(key, { key, bootMs, isStored: true, isRunning: false });
  }

  get size(): number {
    return this.#known.size;
  }

  /** What is known of a command: nothing, that it is running, its reply, or only that it ran. */
  find(key: string): 'new' | 'running' | 'done' | { readonly reply: string } {
    this.#forgetOld();
    const known = this.#known.get(key);
    if (!known) return 'new';
    if (known.isRunning) return 'running';
    return known.reply === undefined ? 'done' : { reply: known.reply };
  }

  /** A command begins. `isStored`: a restart of the agent must not repeat it. */
  start(key: string, isStored: boolean): void {
    this.#known.set(key, { key, bootMs: this.#clock.bootMs(), isStored, isRunning: true });
    if (this.#known.size > COMMANDS_MAX) this.#forgetOldest();
    if (isStored) this.#save();
  }

  finish(key: string, reply: string): void {
    const known = this.#known.get(key);
    if (!known) return;
    known.isRunning = false;
    known.reply = reply;
    this.#replyCharacters += reply.length;
    for (const each of this.#known.values()) {
      if (this.#replyCharacters <= REPLIES_CHARACTERS_MAX) return;
      this.#dropReply(each);
    }
  }

  #forgetOld(): void {
    const sinceMs = this.#clock.bootMs() - REMEMBERED_MS;
    for (const { bootMs, isRunning } of this.#known.values()) {
      if (bootMs >= sinceMs || isRunning) return;
      this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    for (const [key, known] of this.#known) {
      this.#dropReply(known);
      this.#known.delete(key);
      return;
    }
  }

  #dropReply(known: KnownCommand): void {
    this.#replyCharacters -= known.reply?.length ?? 0;
    delete known.reply;
  }

  #save(): void {
    const stored = [...this.#known.values()].filter(({ isStored }) => isStored);
    this.#store?.save(stored.map(({ key, bootMs }) => ({ key, bootMs })));
  }
}
