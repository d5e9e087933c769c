/**
 * Records every read of a collector, round by round, and replays a round without the host and with one part
 * omitted. Files that were not read do not exist in the replay; a file system that has not responded yet
 * fails there.
 */

import type { FileSystemUsage, HostFiles } from '../files/host-files.ts';

export type QueryKind = 'read' | 'list' | 'has' | 'link' | 'usage';

export type QueryResult =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'names'; readonly names: readonly string[] }
  | { readonly type: 'existence'; readonly exists: boolean }
  | { readonly type: 'usage'; readonly usage: FileSystemUsage }
  | { readonly type: 'error'; readonly error: unknown };

export interface TracedQuery {
  readonly kind: QueryKind;
  /** Relative to the root, as the collector wrote it. */
  readonly path: string;
  readonly result: QueryResult;
}

/** The part a replay leaves out: a file, or one of its lines, counted from 0. */
export interface Omission {
  readonly path: string;
  readonly line?: number;
}

/** Results kept a round; a host with a hundred sensors has fewer. */
const RESULTS_MAX = 4096;
const NO_RESULT: QueryResult = { type: 'error', error: new Error('no response') };

export class Trace {
  readonly #rounds: Map<string, TracedQuery>[] = [];

  startRound(): void {
    this.#rounds.push(new Map());
  }

  /** The reads of each round, in the order in which they were first made. */
  get rounds(): readonly (readonly TracedQuery[])[] {
    return this.#rounds.map((round) => [...round.values()]);
  }

  /** The host files, with every read recorded. */
  wrap(hostFiles: HostFiles): HostFiles {
    return {
      ...hostFiles,
      read: (path, bytesMax) => {
        const record = (result: QueryResult) => this.#record('read', path, result);
        return recordQuery(
          record,
          () => hostFiles.read(path, bytesMax),
          (text) => ({ type: 'text', text }),
        );
      },
      readBlocking: (path, lane) => this.#readBlocking(path, () => hostFiles.readBlocking(path, lane)),
      firstLine: (path) => this.#readBlocking(path, () => hostFiles.firstLine(path)),
      list: (path) => {
        const record = (result: QueryResult) => this.#record('list', path, result);
        return recordQuery(
          record,
          () => hostFiles.list(path),
          (names) => ({ type: 'names', names }),
        );
      },
      has: (path) => {
        const exists = hostFiles.has(path);
        this.#record('has', path, { type: 'existence', exists });
        return exists;
      },
      readLink: (path) => {
        const record = (result: QueryResult) => this.#record('link', path, result);
        return recordQuery(
          record,
          () => hostFiles.readLink(path),
          (text) => ({ type: 'text', text }),
        );
      },
      usage: async (path) => {
        this.#record('usage', path, NO_RESULT);
        try {
          const usage = await hostFiles.usage(path);
          this.#record('usage', path, { type: 'usage', usage });
          return usage;
        } catch (error) {
          this.#record('usage', path, { type: 'error', error });
          throw error;
        }
      },
    };
  }

  /** The host files as they were in that round. */
  replay(round: number, omission?: Omission): HostFiles {
    const resultOf = (kind: QueryKind, path: string): QueryResult | undefined => {
      if (path === omission?.path && omission.line === undefined) return undefined;
      const result = this.#rounds[round]?.get(`${kind} ${path}`)?.result;
      if (result?.type === 'error') throw result.error;
      return result;
    };
    const read = (path: string): string => {
      const result = resultOf('read', path);
      if (result?.type !== 'text') throw notFoundError(path);
      return path === omission?.path ? removeLine(result.text, omission.line) : result.text;
    };
    return {
      read,
      readBlocking: async (path) => read(path),
      firstLine: async (path) => read(path),
      list: (path) => {
        const result = resultOf('list', path);
        if (result?.type !== 'names') throw notFoundError(path);
        return result.names.filter((name) => `${path}/${name}` !== omission?.path);
      },
      has: (path) => {
        const result = resultOf('has', path);
        return result?.type === 'existence' && result.exists;
      },
      readLink: (path) => {
        const result = resultOf('link', path);
        if (result?.type !== 'text') throw notFoundError(path);
        return result.text;
      },
      usage: async (path) => {
        const result = resultOf('usage', path);
        if (result?.type !== 'usage') throw notFoundError(path);
        return result.usage;
      },
    };
  }

  async #readBlocking(path: string, query: () => Promise<string>): Promise<string> {
    this.#record('read', path, NO_RESULT);
    try {
      const text = await query();
      this.#record('read', path, { type: 'text', text });
      return text;
    } catch (error) {
      this.#record('read', path, { type: 'error', error });
      throw error;
    }
  }

  #record(kind: QueryKind, path: string, result: QueryResult): void {
    const round = this.#rounds.at(-1);
    if (round === undefined) return;
    const id = `${kind} ${path}`;
    if (round.size < RESULTS_MAX || round.has(id)) round.set(id, { kind, path, result });
  }
}

function recordQuery<T>(
  record: (result: QueryResult) => void,
  query: () => T,
  toResult: (value: T) => QueryResult,
): T {
  try {
    const value = query();
    record(toResult(value));
    return value;
  } catch (error) {
    record({ type: 'error', error });
    throw error;
  }
}

function removeLine(text: string, line: number | undefined): string {
  return text
    .split('\n')
    .filter((_, index) => index !== line)
    .join('\n');
}

function notFoundError(path: string): Error {
  return Object.assign(new Error(`ENOENT: /${path} was not read in this round`), { code: 'ENOENT' });
}
