/** A `Terminal` that keeps the written text, with a size that a test can change. */

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

  onResize(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener));
  }

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    for (const listener of this.#listeners) listener();
  }

  end(): void {
    this.#end.abort();
  }
}
