/** A bell somebody rings and somebody waits for: rung several times before it is heard, it is heard once. */

export class Bell {
  #isRung = false;
  #wake: () => void = () => {};

  ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  /** Resolves when the bell was rung since it was last heard, or when the signal aborts. */
  async heard(signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end);
          this.#wake = () => {};
          resolve();
        };
        this.#wake = end;
        signal.addEventListener('abort', end);
      });
    }
    if (!signal.aborted) this.#isRung = false;
  }
}
