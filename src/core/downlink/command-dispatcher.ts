/**
 * Runs the commands of the server and replies to each: with its result, or at once with an error as an object
 * `{"error": "…", "code": "…"}`. Each command runs at most once per id and method within ten minutes; a repeated one gets
 * the same reply (command-history.ts).
 *
 * Bounds: ten commands a minute, four at once, 64 kB a reply, sixty refusals a minute; what a flood sends beyond that is
 * dropped and counted. No parameter and no reply is logged.
 */

import { ChildAbortController } from '../async/abort.ts';
import { Semaphore } from '../async/semaphore.ts';
import { logEvent } from '../events/catalogue.ts';
import type { Schedule } from '../failures/backoff.ts';
import { waitBeforeMs } from '../failures/backoff.ts';
import type { Result } from '../failures/failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Command } from '../ports/downlink.ts';
import type { Logger } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import { CommandHistory, type StartedCommandStore } from './command-history.ts';
import {
  type CommandDefinition,
  type CommandResult,
  type CommandTable,
  commandError,
} from './command-table.ts';

export interface CommandDispatcherPorts {
  readonly clock: Pick<Clock, 'bootMs' | 'monotonicMs' | 'sleep'>;
  readonly random: Pick<Random, 'uniform'>;
  readonly log: Logger;
  /** Absent: a restart of the agent forgets what ran. */
  readonly store?: StartedCommandStore | undefined;
  /** Aborts when the process is asked to stop, which leaves less time for replies. */
  readonly processStop?: AbortSignal;
}

/** Posts a reply to the server. */
export type SendReply = (id: number, body: string, signal: AbortSignal) => Promise<Result<void>>;

export const REPLY_BYTES_MAX = 64 * 1024;
const COMMANDS_PER_MINUTE_MAX = 10;
const RUNNING_MAX = 4;
const REFUSALS_PER_MINUTE_MAX = 60;
const REPLIES_IN_FLIGHT_MAX = 4;
const MINUTE_MS = 60_000;
const METHOD_CHARACTERS_MAX = 64;
const ERROR_CHARACTERS_MAX = 500;
/** A caller waits 10 s for a reply by default; a persistent command may wait longer. */
const REPLY_RETRY: Schedule = { baseMs: 1_000, capMs: 30_000 };
const REPLY_WITHIN_MS = 5 * MINUTE_MS;
/** For the replies to commands that a change of settings stops, and to those that the end of the process stops, ms. */
const [LAST_REPLIES_MS, LAST_REPLIES_AT_END_MS] = [3_000, 500];

interface Service {
  readonly table: CommandTable;
  readonly send: SendReply;
  /** Stops the commands. */
  readonly signal: AbortSignal;
  /** Ends the replies; later than `signal`. */
  readonly replySignal: AbortSignal;
  readonly tasks: Set<Promise<void>>;
}

export class CommandDispatcher {
  readonly #ports: CommandDispatcherPorts;
  readonly #history: CommandHistory;
  readonly #commands: RateWindow;
  readonly #refusals: RateWindow;
  readonly #sending = new Semaphore(REPLIES_IN_FLIGHT_MAX);
  #service: Service | undefined;
  #running = 0;
  /** Of the last command that has announced something; waits for any accepted reply to it. */
  #afterReply: { readonly key: string; readonly run: () => void } | undefined;
  #dropped = 0;

  constructor(ports: CommandDispatcherPorts) {
    this.#ports = ports;
    this.#history = new CommandHistory(ports.clock, ports.store);
    this.#commands = new RateWindow(COMMANDS_PER_MINUTE_MAX, ports.clock);
    this.#refusals = new RateWindow(REFUSALS_PER_MINUTE_MAX, ports.clock);
  }

  /**
   * Runs commands of `table` and replies by `send` until the signal aborts; then it stops those that still run, and resolves within
   * three seconds, in which it tries once more to post the replies.
   */
  async serve(table: CommandTable, send: SendReply, signal: AbortSignal): Promise<void> {
    const replies = new AbortController();
    const service: Service = { table, send, signal, replySignal: replies.signal, tasks: new Set() };
    this.#service = service;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (this.#service === service) this.#service = undefined;
    const { clock, processStop } = this.#ports;
    const lastMs = processStop?.aborted ? LAST_REPLIES_AT_END_MS : LAST_REPLIES_MS;
    const ended = new AbortController();
    void clock.sleep(lastMs, ended.signal).then(() => replies.abort());
    await Promise.all(service.tasks);
    ended.abort();
  }

  /** Takes a command of the server; never throws and never waits. */
  onCommand(command: Command): void {
    const service = this.#service;
    if (!service || service.signal.aborted) return;
    const task = this.#handle(command, service).finally(() => service.tasks.delete(task));
    service.tasks.add(task);
  }

  async #handle(command: Command, service: Service): Promise<void> {
    const key = `${command.id} ${shorten(command.method)}`;
    const known = this.#history.find(key);
    if (known === 'running') return;
    if (known !== 'new') {
      const reply = known === 'done' ? REPEATED : known.reply;
      const isReplied = await this.#refuse(command, reply, 'FL-COMMAND-REPEATED', {}, service);
      return isReplied ? this.#runAfterReply(key) : undefined;
    }
    const definition = service.table.allowed.get(command.method);
    const refusal = this.#refusalOf(command.method, definition, service.table);
    if (refusal || !definition) {
      const { code, error } = refusal ?? UNKNOWN;
      await this.#refuse(command, encodeError(code, error), 'FL-COMMAND-REFUSED', { code }, service);
      return;
    }
    this.#history.start(key, !definition.isReadOnly);
    this.#running += 1;
    const result = await this.#run(definition, command.params, service.signal);
    this.#running -= 1;
    const body = encodeResult(result);
    this.#history.finish(key, body.text);
    if (result.ok && result.afterReply) this.#afterReply = { key, run: result.afterReply };
    const isReplied = await this.#reply(command.id, body.text, service);
    this.#logOutcome(command, isReplied ? body.outcome : `${body.outcome}, but the server took no reply`);
    if (isReplied) this.#runAfterReply(key);
  }

  /** What the command has announced, once, now that the server knows of it. */
  #runAfterReply(key: string): void {
    if (this.#afterReply?.key !== key) return;
    const { run } = this.#afterReply;
    this.#afterReply = undefined;
    try {
      run();
    } catch (error) {
      this.#logBug(error);
    }
  }

  #logBug(error: unknown): void {
    logEvent(this.#ports.log, 'FL-COMMAND-BUG', { detail: error instanceof Error ? error.name : 'unknown' });
  }

  #refusalOf(
    method: string,
    definition: CommandDefinition | undefined,
    { notAllowed }: CommandTable,
  ): (CommandResult & { ok: false }) | undefined {
    if (!definition) {
      if (!notAllowed.has(method)) return UNKNOWN;
      return NOT_ALLOWED;
    }
    if (this.#running >= RUNNING_MAX) return BUSY_RUNNING;
    return this.#commands.take() ? undefined : BUSY_RATE;
  }

  async #run(definition: CommandDefinition, params: unknown, signal: AbortSignal): Promise<CommandResult> {
    using deadline = new ChildAbortController(signal);
    const { clock } = this.#ports;
    const { timeoutMs } = definition;
    const timeout = clock
      .sleep(timeoutMs, deadline.signal)
      .then(() =>
        commandError(
          'timeout',
          `the command did not end within ${Math.round(timeoutMs / 1000)} s and was stopped`,
        ),
      );
    try {
      const result = await Promise.race([definition.run(params, deadline.signal), timeout]);
      return signal.aborted && !result.ok ? STOPPED : result;
    } catch (error) {
      this.#logBug(error);
      return commandError('failed', 'an internal error of the agent: report it as a Firstlight bug');
    } finally {
      deadline.abort();
    }
  }

  /** Replies without running anything; a flood gets no replies, and one line says so. False: the server has not accepted the reply. */
  async #refuse(
    command: Command,
    body: string,
    event: 'FL-COMMAND-REFUSED' | 'FL-COMMAND-REPEATED',
    fields: { readonly code?: string },
    service: Service,
  ): Promise<boolean> {
    if (!this.#refusals.take()) {
      this.#dropped += 1;
      if (this.#dropped === 1) logEvent(this.#ports.log, 'FL-COMMAND-FLOOD');
      return false;
    }
    this.#dropped = 0;
    logEvent(this.#ports.log, event, { method: shorten(command.method), id: command.id, ...fields });
    return this.#reply(command.id, body, service);
  }

  /** Tries for five minutes, and once more when the commands are stopped. False: the server has not accepted the reply. */
  async #reply(id: number, body: string, { send, signal, replySignal }: Service): Promise<boolean> {
    const { clock, random, log } = this.#ports;
    const untilMs = clock.monotonicMs() + REPLY_WITHIN_MS;
    for (let attempt = 1; !replySignal.aborted; attempt += 1) {
      const result = await this.#sending.run(() => send(id, body, replySignal), replySignal);
      if (result?.ok) return true;
      log.debug('the server did not accept the reply', {
        id,
        ...(result && { reason: result.failure.reason }),
      });
      if (signal.aborted || result?.failure.reason === 'request-malformed') return false;
      const forMs = waitBeforeMs(REPLY_RETRY, attempt, random.uniform());
      if (clock.monotonicMs() + forMs >= untilMs) return false;
      await clock.sleep(forMs, signal);
    }
    return false;
  }

  #logOutcome({ method, id }: Command, outcome: string): void {
    logEvent(this.#ports.log, 'FL-COMMAND-EXECUTED', { method: shorten(method), id, outcome });
  }
}

/** At most `max` in the last minute. */
class RateWindow {
  readonly #max: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #takenMs: number[] = [];

  constructor(max: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#max = max;
    this.#clock = clock;
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    while (this.#takenMs[0] !== undefined && this.#takenMs[0] <= nowMs - MINUTE_MS) this.#takenMs.shift();
    if (this.#takenMs.length >= this.#max) return false;
    this.#takenMs.push(nowMs);
    return true;
  }
}

type Refusal = CommandResult & { readonly ok: false };
const refusal = (code: Refusal['code'], error: string): Refusal => ({ ok: false, code, error });

const UNKNOWN = refusal('unknown-command', 'this agent has no such command: "config" lists what it has');
const NOT_ALLOWED = refusal(
  'not-allowed',
  'the configuration of this gateway does not allow the command: add it to remote.commands',
);
const BUSY_RUNNING = refusal('busy', `${RUNNING_MAX} commands are running already: send it again later`);
const BUSY_RATE = refusal(
  'busy',
  `more than ${COMMANDS_PER_MINUTE_MAX} commands a minute: send it again later`,
);
const STOPPED = refusal(
  'stopped',
  'the agent stopped or changed its settings before the command ended: check what it did, and send it again',
);
const REPEATED = encodeError(
  'duplicate',
  'a command with this id and method ran within the last ten minutes, and its reply is no longer kept',
);

function encodeResult(result: CommandResult): { readonly text: string; readonly outcome: string } {
  if (!result.ok) return { text: encodeError(result.code, result.error), outcome: result.code };
  const text = JSON.stringify(result.reply);
  if (Buffer.byteLength(text) <= REPLY_BYTES_MAX) return { text, outcome: 'ok' };
  const error = `the reply has ${Buffer.byteLength(text)} bytes, the limit is ${REPLY_BYTES_MAX}: ask for less`;
  return { text: encodeError('too-large', error), outcome: 'too-large' };
}

function encodeError(code: Refusal['code'], error: string): string {
  return JSON.stringify({ error: error.slice(0, ERROR_CHARACTERS_MAX), code });
}

/** A method of the server's choice, for the log. */
function shorten(method: string): string {
  return method.slice(0, METHOD_CHARACTERS_MAX);
}
