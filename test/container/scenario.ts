/** What a scenario is, and what it hands back: figures for the table, and every violation as a sentence. */

import type { Packages } from './packages.ts';
import type { Layers } from './root-layers.ts';

/** What all scenarios of a run share. */
export interface Ground {
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
  /** What of it this machine or this version cannot show, with the reason. */
  readonly skipped?: readonly string[];
}

export interface Scenario {
  /** For `--only`, which takes the beginning of a name, too. */
  readonly name: string;
  readonly run: (environment: Ground) => Promise<Report>;
}

/** Collects what is wrong, in the order in which it was seen. */
export class Findings {
  readonly figures: string[] = [];
  readonly problems: string[] = [];
  readonly skipped: string[] = [];

  figure(text: string): void {
    this.figures.push(text);
  }

  expect(isSo: boolean, otherwise: string): void {
    if (!isSo) this.problems.push(otherwise);
  }

  skip(reason: string): void {
    this.skipped.push(reason);
  }
}
