/**
 * The journal: the `Logger` port over winston, which is imported here and nowhere else, and writes to one
 * stream only.
 *
 * Promises: no registered secret in any line; one line an event, bounded; one message cannot fill the journal;
 * a reader that is gone ends the writing and never the process; a reader that stands still costs at most 1 MiB,
 * and is told how much it missed; `close` resolves when everything has left, or after two seconds of a reader
 * that does not read.
 */

import { stdout } from 'node:process';
import type { Writable } from 'node:stream';
import winston from 'winston';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { LogFields, Logger } from '../../core/ports/log.ts';
import { type EventListener, notifyListener } from './event-listener.ts';
import { type Level, type LineStyle, renderLine } from './log-line.ts';
import { DEFAULT_LIMITS, RateLimit, type RateLimits } from './rate-limit.ts';
import { Redaction } from './redaction.ts';

export interface HostLogger extends Logger {
  /** From now on, no line shows this secret in any of its usual encodings. */
  redact(secret: Secret): void;
  /** From now on lines are of this kind, and from this level up. */
  configure(style: Pick<HostLoggerOptions, 'level' | 'format'>): void;
  /** Writes what is left; later lines are counted as lost. Safe to call twice. */
  close(): Promise<void>;
  /**
   * Lines that were never handed to the stream: because its reader was gone, stood still, or the journal was
   * closed.
   */
  readonly lost: number;
}

export interface HostLoggerOptions {
  readonly level: Level;
  readonly format: 'text' | 'json';
  /** The reader is systemd's journal: priorities instead of times. */
  readonly isJournald: boolean;
  readonly clock: Clock;
  /** Default: stdout. It is not ended. */
  readonly stream?: Writable;
  readonly limits?: RateLimits;
  /** Hears of each event, also of one whose level is not written, in words that are clean of secrets. */
  readonly listener?: EventListener;
}

/** What may wait in memory for a reader that stands still. */
const WAITING_BYTES_MAX = 1024 * 1024;
const CLOSE_MS_MAX = 2000;
const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 } as const satisfies Record<Level, number>;

export function openLogger(options: HostLoggerOptions): HostLogger {
  return new StreamLogger(options);
}

class StreamLogger implements HostLogger {
  readonly #clock: Clock;
  #level: Level;
  readonly #style: { format: LineStyle['format']; readonly priority: boolean };
  readonly #dated: boolean;
  readonly #stream: Writable;
  readonly #redaction = new Redaction();
  readonly #limit: RateLimit<Level>;
  readonly #winston: winston.Logger;
  readonly #listener: EventListener | undefined;
  readonly #readerGone = new AbortController();
  #closing: Promise<void> | undefined;
  #lost = 0;
  /** Lost since the reader was last told. */
  #unreported = 0;

  constructor(options: HostLoggerOptions) {
    const { level, format, isJournald, clock, stream = stdout, limits = DEFAULT_LIMITS } = options;
    this.#listener = options.listener;
    this.#clock = clock;
    this.#level = level;
    this.#dated = !isJournald;
    this.#stream = stream;
    this.#limit = new RateLimit<Level>(clock, limits, (of, message, more) =>
      this.#write(of, `${message} … and ${more} more`, {}),
    );
    this.#style = { format, priority: isJournald };
    this.#winston = createWinston(stream, this.#style, this.#redaction);
    // Stays for good: a stream can fail after the last line, and an error that nobody listens to ends the process.
    stream.on('error', () => this.#readerGone.abort());
    stream.on('close', () => this.#readerGone.abort());
    stream.on('drain', () => this.#reportLost());
  }

  get lost(): number {
    return this.#lost;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  redact(secret: Secret): void {
    this.#redaction.add(secret);
  }

  configure({ level, format }: Pick<HostLoggerOptions, 'level' | 'format'>): void {
    this.#level = level;
    this.#style.format = format;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #log(level: Level, message: string, fields: LogFields = {}): void {
    if (this.#listener) notifyListener(this.#listener, { level, message, fields }, this.#redaction);
    if (LEVELS[level] > LEVELS[this.#level]) return;
    if (this.#closing !== undefined) this.#lost++;
    else if (this.#limit.allows(level, message)) this.#write(level, message, fields);
  }

  #write(level: Level, message: string, fields: LogFields): void {
    if (this.#readerGone.signal.aborted || this.#stream.writableLength > WAITING_BYTES_MAX) {
      this.#lost++;
      this.#unreported++;
      return;
    }
    // The time is taken here and not in winston, which may render later.
    const wallMs = this.#dated ? this.#clock.wallMs() : undefined;
    this.#winston.log({ level, message, fields, wallMs });
  }

  #reportLost(): void {
    if (this.#unreported === 0 || this.#readerGone.signal.aborted || !this.#winston.writable) return;
    const lines = this.#unreported;
    this.#unreported = 0;
    this.#write('warn', 'log lines were dropped because nobody read them', { lines });
  }

  async #close(): Promise<void> {
    this.#limit.close();
    if (this.#readerGone.signal.aborted) return;
    const flushed = new AbortController();
    void this.#flush().then(() => flushed.abort());
    await this.#clock.sleep(CLOSE_MS_MAX, AbortSignal.any([flushed.signal, this.#readerGone.signal]));
  }

  async #flush(): Promise<void> {
    await this.#drain();
    this.#reportLost();
    await new Promise((resolve) => {
      this.#winston.once('finish', resolve);
      this.#winston.end();
    });
    await this.#drain();
  }

  #drain(): Promise<unknown> {
    return new Promise((resolve) => this.#stream.write('', resolve));
  }
}

/** Which levels are written is decided before: it may change. */
function createWinston(stream: Writable, style: LineStyle, redaction: Redaction): winston.Logger {
  const line = winston.format.printf(({ level: of, message, fields, wallMs }) =>
    renderLine(
      {
        level: isLevel(of) ? of : 'error',
        message: String(message),
        ...(typeof wallMs === 'number' ? { wallMs } : {}),
        fields: isFields(fields) ? fields : {},
      },
      style,
      redaction,
    ),
  );
  const transport = new winston.transports.Stream({ stream, eol: '\n' });
  return winston.createLogger({ level: 'debug', levels: LEVELS, format: line, transports: [transport] });
}

function isLevel(text: string): text is Level {
  return Object.hasOwn(LEVELS, text);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
