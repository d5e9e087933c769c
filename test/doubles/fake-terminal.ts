/** A `Terminal` that keeps what is written to it, of a size that a test may change. */

import type { Terminal } from '../../src/cli/ui/terminal.ts';

export class FakeTerminal implements Terminal {
  readonly isLive: boolean;
  readonly #end = new AbortController();
  readonly #listeners = new Set<() => void>();
  #columns: number;
  #rows: number;
  written = '';

  constructor({ isLive = false, columns = Number.POSITIVE_INFINITY, rows = Number.POSITIVE_INFINITY } = {}) {
    this.isLive = isLive;
    this.#columns = columns;
    this.#rows = rows;
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get lines(): readonly string[] {
    return this.written.trimEnd().split('\n');
  }

  write(text: string): void {
    this.written += text;
  }

  size(): { columns: number; rows: number } {
    return { columns: this.#columns, rows: this.#rows };
  }

  onResize(then: () => void, signal: AbortSignal): void {
    this.#listeners.add(then);
    signal.addEventListener('abort', () => this.#listeners.delete(then));
  }

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    for (const then of this.#listeners) then();
  }

  end(): void {
    this.#end.abort();
  }
}
