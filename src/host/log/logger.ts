/**
 * The adapter of the `Logger` port: writes events to one stream through winston, which is imported only here.
 *
 * No line contains a registered secret; no message can flood the log. A reader that disappears ends the
 * writing, not the process; one that stops reading costs at most 1 MiB, and later gets the number of losses.
 */

import { stdout } from 'node:process';
import type { Writable } from 'node:stream';
import winston from 'winston';
import { type EventId, isEventId } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { LogFields, Logger } from '../../core/ports/log.ts';

import { type Level, type LineStyle, renderLine } from './log-line.ts';
import { DEFAULT_LIMITS, RateLimit, type RateLimits } from './rate-limit.ts';
import { Redaction } from './redaction.ts';

export interface HostLogger extends Logger {
  /** From now on, no line contains this secret in any of its usual encodings. */
  redact(secret: Secret): void;
  /** From now on, lines have this format and at least this level. */
  configure(style: Pick<HostLoggerOptions, 'level' | 'format'>): void;
  /**
   * Resolves when all lines have been written, or after 2 s. Later lines count as lost. Safe to call twice.
   */
  close(): Promise<void>;
  /**
   * Lines that were not passed to the stream: its reader was gone or did not read, or the logger was closed.
   */
  readonly lost: number;
}

/** Receives every event, also those below the log level. All texts are redacted. */
export interface EventListener {
  record(event: EventId, level: EventLevel, message: string, detail?: string): void;
}

export interface HostLoggerOptions {
  readonly level: Level;
  readonly format: 'text' | 'json';
  /** The reader is systemd's journal: lines have priorities instead of times. */
  readonly isJournald: boolean;
  readonly clock: Clock;
  /** Default: stdout. The logger does not end it. */
  readonly stream?: Writable;
  readonly limits?: RateLimits;
  readonly listener?: EventListener;
}

/** Bound of the memory for a reader that does not read. */
const QUEUED_BYTES_MAX = 1024 * 1024;
const CLOSE_MS_MAX = 2000;
const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 } as const satisfies Record<Level, number>;

export function openLogger(options: HostLoggerOptions): HostLogger {
  return new StreamLogger(options);
}

class StreamLogger implements HostLogger {
  readonly #clock: Clock;
  #level: Level;
  readonly #style: { format: LineStyle['format']; readonly priority: boolean };
  readonly #hasTimes: boolean;
  readonly #stream: Writable;
  readonly #redaction = new Redaction();
  readonly #limit: RateLimit<Level>;
  readonly #winston: winston.Logger;
  readonly #listener: EventListener | undefined;
  readonly #readerGone = new AbortController();
  #closing: Promise<void> | undefined;
  #lost = 0;
  /** Lost since the last report of lost lines. */
  #unreported = 0;

  constructor(options: HostLoggerOptions) {
    const { level, format, isJournald, clock, stream = stdout, limits = DEFAULT_LIMITS } = options;
    this.#listener = options.listener;
    this.#clock = clock;
    this.#level = level;
    this.#hasTimes = !isJournald;
    this.#stream = stream;
    this.#limit = new RateLimit<Level>(clock, limits, (highest, message, suppressed) =>
      this.#write(highest, `${message} … and ${suppressed} more`, {}),
    );
    this.#style = { format, priority: isJournald };
    this.#winston = createWinston(stream, this.#style, this.#redaction);
    // Never removed: a stream can fail after the last line, and an error without a listener ends the process.
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
    this.#notifyListener(level, message, fields);
    if (LEVELS[level] > LEVELS[this.#level]) return;
    if (this.#closing !== undefined) this.#lost++;
    else if (this.#limit.allows(level, message)) this.#write(level, message, fields);
  }

  #notifyListener(level: Level, message: string, { event, detail }: LogFields): void {
    if (!this.#listener || level === 'debug' || !isEventId(event)) return;
    const text = detail === undefined ? undefined : this.#redaction.clean(String(detail));
    this.#listener.record(event, level, this.#redaction.clean(message), text);
  }

  #write(level: Level, message: string, fields: LogFields): void {
    if (this.#readerGone.signal.aborted || this.#stream.writableLength > QUEUED_BYTES_MAX) {
      this.#lost++;
      this.#unreported++;
      return;
    }
    // The time is taken here, because winston may render later.
    const wallMs = this.#hasTimes ? this.#clock.wallMs() : undefined;
    this.#winston.log({ level, message, fields, wallMs });
  }

  #reportLost(): void {
    if (this.#unreported === 0 || this.#readerGone.signal.aborted || !this.#winston.writable) return;
    const lines = this.#unreported;
    this.#unreported = 0;
    this.#write('warn', 'log lines were dropped because the reader did not read them', { lines });
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

/** Accepts all levels: StreamLogger filters them, because the level can change. */
function createWinston(stream: Writable, style: LineStyle, redaction: Redaction): winston.Logger {
  const format = winston.format.printf(({ level, message, fields, wallMs }) =>
    renderLine(
      {
        level: isLevel(level) ? level : 'error',
        message: String(message),
        ...(typeof wallMs === 'number' ? { wallMs } : {}),
        fields: isFields(fields) ? fields : {},
      },
      style,
      redaction,
    ),
  );
  const transport = new winston.transports.Stream({ stream, eol: '\n' });
  return winston.createLogger({ level: 'debug', levels: LEVELS, format, transports: [transport] });
}

function isLevel(text: string): text is Level {
  return Object.hasOwn(LEVELS, text);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
