/**
 * Starts the helper program: a process with one end of an anonymous socketpair as descriptor 3. It gets the version of the
 * frames as its only argument, no environment (which may hold secrets) and no other descriptor, and ends when its end of the
 * pair reads end of file.
 */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { errorCode } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';

/** Why a helper has ended or could not be started. */
export interface HelperEnd {
  /** `missing`: there is no such program on this host. `mismatch`: it speaks another version of the frames. */
  readonly cause: 'missing' | 'mismatch' | 'ended';
  readonly detail: string;
}

export interface HelperListener {
  readonly onBytes: (chunk: Buffer) => void;
  /** Called once, never during the start. */
  readonly onEnd: (end: HelperEnd) => void;
}

export interface HelperChannel {
  /** `isDroppable`: lost if the helper does not read, as a datagram may be. */
  write(frames: Buffer, isDroppable: boolean): void;
  /** Ends the helper. */
  close(): void;
}

export type StartHelper = (listener: HelperListener) => HelperChannel;

export const HELPER_NAME = 'firstlight-dtls';
/**
 * The version of the frames. A change that the other side does not understand changes it here and in the program, and, to the
 * version of Firstlight that has it, the `Breaks` of both packages (scripts/package/).
 */
export const HELPER_PROTOCOL = '1';
/** The program speaks another version of the frames. */
const EXIT_MISMATCH = 3;
/** What a program says that knows no version of the frames. */
const UNVERSIONED = 'firstlight starts this program';
/** The place of the package. */
const PACKAGED = `/usr/libexec/firstlight/${HELPER_NAME}`;
/** Unread bytes above which datagrams are dropped. */
const UNREAD_BYTES_MAX = 65_536;
const COMPLAINT_CHARACTERS_MAX = 200;
/** From the end of file to the kill, ms. */
const END_TIMEOUT_MS = 1_000;

/**
 * Where the helper may be, in this order. `environment`: FIRSTLIGHT_DTLS names another one, for tests. `folder`: that
 * of the running code.
 */
export function helperPaths(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = import.meta.dirname,
): readonly string[] {
  const named = environment['FIRSTLIGHT_DTLS'];
  if (named !== undefined && named !== '') return [named];
  // The bundle has its parts in code/; the compiler writes this file to dist/src/transport/dtls/.
  const up = folder.endsWith(join('src', 'transport', 'dtls')) ? ['..', '..', '..'] : ['..'];
  return [PACKAGED, join(folder, HELPER_NAME), join(folder, ...up, HELPER_NAME)];
}

/** Starts the first program of `paths` that can be executed. */
export function helperStarter(paths: readonly string[], clock: Pick<Clock, 'sleep'>): StartHelper {
  return (listener) => {
    const path = paths.find(isExecutable);
    if (path !== undefined) return startProcess(path, listener, clock);
    const detail = `${paths.length === 1 ? paths[0] : HELPER_NAME} is not installed`;
    setImmediate(() => listener.onEnd({ cause: 'missing', detail }));
    return { write: () => {}, close: () => {} };
  };
}

/** How a helper ends that has nothing to do: tells one that cannot be used before it is needed. */
export function tryHelper(startHelper: StartHelper): Promise<HelperEnd> {
  return new Promise((resolve) => startHelper({ onBytes: () => {}, onEnd: resolve }).close());
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function startProcess(
  path: string,
  { onBytes, onEnd }: HelperListener,
  clock: Pick<Clock, 'sleep'>,
): HelperChannel {
  const child = spawn(path, [`--protocol=${HELPER_PROTOCOL}`], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {},
    cwd: '/',
  });
  const channel = child.stdio[3] as Duplex;
  let complaint = '';
  let isClosed = false;
  let hasEnded = false;
  const ended = new AbortController();
  const end = (detail: string, cause: HelperEnd['cause'] = 'ended') => {
    if (hasEnded) return;
    hasEnded = true;
    ended.abort();
    channel.destroy();
    onEnd({ cause, detail: `${path} ${detail}` });
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(0, COMPLAINT_CHARACTERS_MAX);
  });
  child.on('error', (error) => end(`cannot be started: ${errorCode(error) ?? error.message}`));
  // After its output has been read, unlike 'exit'.
  child.on('close', (code, signal) => {
    const [line = ''] = complaint.replace(/[^\x20-\x7e\n]/g, '?').split('\n');
    if (code === EXIT_MISMATCH) return end(`does not speak protocol ${HELPER_PROTOCOL}: ${line}`, 'mismatch');
    if (line.includes(UNVERSIONED)) return end(`is older than protocol ${HELPER_PROTOCOL}`, 'mismatch');
    end(`${signal ? `was ended by ${signal}` : `ended with code ${code}`}${line === '' ? '' : `: ${line}`}`);
  });
  channel.on('data', (chunk: Buffer) => {
    if (!isClosed) onBytes(chunk);
  });
  // A helper that ends closes the channel, too.
  channel.on('error', () => {});
  return {
    write: (frames, isDroppable) => {
      if (!channel.writable || (isDroppable && channel.writableLength > UNREAD_BYTES_MAX)) return;
      channel.write(frames);
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      channel.end();
      void clock.sleep(END_TIMEOUT_MS, ended.signal).then(() => hasEnded || child.kill('SIGKILL'));
    },
  };
}
