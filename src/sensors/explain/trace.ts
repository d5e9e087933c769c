/**
 * A trace: everything a collector asked of the host in each of its rounds, with the answers, so that a round can be lived
 * through again without the host, and with something taken away.
 *
 * What was not asked then is not there in the replay. A file system that has not answered yet is one that does not answer. At
 * most ANSWERS_MAX answers a round are kept.
 */

import type { FileSystemUse, Tree } from '../files/host-files.ts';

export type Question = 'read' | 'list' | 'has' | 'link' | 'use';

export type Answer =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'names'; readonly names: readonly string[] }
  | { readonly is: 'there'; readonly there: boolean }
  | { readonly is: 'use'; readonly use: FileSystemUse }
  | { readonly is: 'error'; readonly error: unknown };

export interface Asked {
  readonly question: Question;
  /** Below the root, as the collector wrote it. */
  readonly path: string;
  readonly answer: Answer;
}

/** What a replay leaves out: a file, or one of its lines, counted from 0. */
export interface Omission {
  readonly path: string;
  readonly line?: number;
}

/** More than any collector of ours asks on a host with a hundred sensors. */
const ANSWERS_MAX = 4096;
const UNANSWERED: Answer = { is: 'error', error: new Error('no answer') };

export class Trace {
  readonly #rounds: Map<string, Asked>[] = [];

  /** A new round begins: what is asked from now on belongs to it. */
  begin(): void {
    this.#rounds.push(new Map());
  }

  /** What was asked, round by round, in the order of the first time. */
  get rounds(): readonly (readonly Asked[])[] {
    return this.#rounds.map((round) => [...round.values()]);
  }

  /** The tree, which writes down what it is asked. */
  over(tree: Tree): Tree {
    return {
      ...tree,
      read: (path, bytesMax) => {
        const note = (answer: Answer) => this.#note('read', path, answer);
        return told(
          note,
          () => tree.read(path, bytesMax),
          (text) => ({ is: 'text', text }),
        );
      },
      readSlowly: (path) => this.#slowly(path, () => tree.readSlowly(path)),
      line: (path) => this.#slowly(path, () => tree.line(path)),
      list: (path) => {
        const note = (answer: Answer) => this.#note('list', path, answer);
        return told(
          note,
          () => tree.list(path),
          (names) => ({ is: 'names', names }),
        );
      },
      has: (path) => {
        const there = tree.has(path);
        this.#note('has', path, { is: 'there', there });
        return there;
      },
      link: (path) => {
        const note = (answer: Answer) => this.#note('link', path, answer);
        return told(
          note,
          () => tree.link(path),
          (text) => ({ is: 'text', text }),
        );
      },
      use: async (path) => {
        this.#note('use', path, UNANSWERED);
        try {
          const use = await tree.use(path);
          this.#note('use', path, { is: 'use', use });
          return use;
        } catch (error) {
          this.#note('use', path, { is: 'error', error });
          throw error;
        }
      },
    };
  }

  /** The host as that round found it. */
  replay(round: number, without?: Omission): Tree {
    const answerTo = (question: Question, path: string): Answer | undefined => {
      if (path === without?.path && without.line === undefined) return undefined;
      const answer = this.#rounds[round]?.get(`${question} ${path}`)?.answer;
      if (answer?.is === 'error') throw answer.error;
      return answer;
    };
    const read = (path: string): string => {
      const answer = answerTo('read', path);
      if (answer?.is !== 'text') throw notThere(path);
      return path === without?.path ? withoutLine(answer.text, without.line) : answer.text;
    };
    return {
      read,
      readSlowly: async (path) => read(path),
      line: async (path) => read(path),
      list: (path) => {
        const answer = answerTo('list', path);
        if (answer?.is !== 'names') throw notThere(path);
        return answer.names.filter((name) => `${path}/${name}` !== without?.path);
      },
      has: (path) => {
        const answer = answerTo('has', path);
        return answer?.is === 'there' && answer.there;
      },
      link: (path) => {
        const answer = answerTo('link', path);
        if (answer?.is !== 'text') throw notThere(path);
        return answer.text;
      },
      use: async (path) => {
        const answer = answerTo('use', path);
        if (answer?.is !== 'use') throw notThere(path);
        return answer.use;
      },
    };
  }

  async #slowly(path: string, ask: () => Promise<string>): Promise<string> {
    this.#note('read', path, UNANSWERED);
    try {
      const text = await ask();
      this.#note('read', path, { is: 'text', text });
      return text;
    } catch (error) {
      this.#note('read', path, { is: 'error', error });
      throw error;
    }
  }

  #note(question: Question, path: string, answer: Answer): void {
    const round = this.#rounds.at(-1);
    if (round === undefined) return;
    const id = `${question} ${path}`;
    if (round.size < ANSWERS_MAX || round.has(id)) round.set(id, { question, path, answer });
  }
}

function told<T>(note: (answer: Answer) => void, ask: () => T, answerOf: (value: T) => Answer): T {
  try {
    const value = ask();
    note(answerOf(value));
    return value;
  } catch (error) {
    note({ is: 'error', error });
    throw error;
  }
}

function withoutLine(text: string, line: number | undefined): string {
  return text
    .split('\n')
    .filter((_, index) => index !== line)
    .join('\n');
}

function notThere(path: string): Error {
  return Object.assign(new Error(`ENOENT: /${path} was not asked for`), { code: 'ENOENT' });
}
