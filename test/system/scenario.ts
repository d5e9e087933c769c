/** What a scenario gets and returns: figures for the table, and each violation as a sentence. */

import type { Packages } from './packages.ts';
import type { Layers } from './root-layers.ts';

/** What all scenarios of a run share. */
export interface Environment {
  /** The work directory. */
  readonly place: string;
  readonly packages: Packages;
  /** Debian without firstlight. */
  readonly bare: Layers;
  /** Debian with the package put in by an image builder, never booted. */
  readonly installed: Layers;
  readonly cuts: number;
  readonly seed: number;
}

export interface Report {
  readonly figures: readonly string[];
  readonly problems: readonly string[];
  /** What this machine or this version cannot show, with the reason. */
  readonly skipped?: readonly string[];
}

export interface Scenario {
  /** For `--only`, which also accepts the beginning of a name. */
  readonly name: string;
  readonly run: (environment: Environment) => Promise<Report>;
}

/** Collects figures, violations and skips in the order of their discovery. */
export class Findings {
  readonly figures: string[] = [];
  readonly problems: string[] = [];
  readonly skipped: string[] = [];

  figure(text: string): void {
    this.figures.push(text);
  }

  expect(condition: boolean, violation: string): void {
    if (!condition) this.problems.push(violation);
  }

  skip(reason: string): void {
    this.skipped.push(reason);
  }
}
