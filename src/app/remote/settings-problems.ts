/** The problems of the server's settings: each is logged once, all are reported to the server. */

import type { Problem } from '../../config/errors/problem.ts';
import type { RefusedValue, RemoteValue } from '../../config/remote-values.ts';
import { attributeOf } from '../../config/schema/setting.ts';
import { remoteSettings } from '../../config/schema/settings.ts';
import { valueProblem } from '../../config/shared-attributes.ts';
import type { Changes, SettingsState } from '../../core/downlink/settings-trial.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Logger } from '../../core/ports/log.ts';

/** All settings, and some names that are nearly settings. */
const PROBLEMS_MAX = 64;

export class SettingsProblems {
  readonly #log: Logger;
  /** By attribute, the sentence of an invalid value or name. */
  #attributes = new Map<string, string>();
  /** Values that do not fit the local configuration. */
  #unfit: readonly RefusedValue[] = [];
  /** Of the last log line for each attribute. */
  readonly #logged = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The problems of an update: of all attributes, or of those in `names`. */
  setAttributes(problems: ReadonlyMap<string, Problem>, names?: readonly string[]): void {
    if (names === undefined) this.#attributes = new Map();
    else for (const name of names) this.#attributes.delete(name);
    for (const [name, { sentence }] of problems) {
      if (this.#attributes.size < PROBLEMS_MAX) this.#attributes.set(name, sentence);
      this.#logOnce(name, sentence);
    }
    for (const name of this.#logged.keys()) if (!this.#attributes.has(name)) this.#logged.delete(name);
  }

  /** `values` were loaded, and `refused` are those that do not fit the local configuration. */
  setUnfit(values: readonly RemoteValue[], refused: readonly RefusedValue[]): void {
    const before = this.#unfit;
    const isSame = (one: RemoteValue) => (other: RemoteValue) =>
      one.key === other.key && one.text === other.text;
    this.#unfit = [...before.filter((each) => !values.some(isSame(each))), ...refused];
    for (const value of refused)
      if (!before.some(isSame(value)))
        logEvent(this.#log, 'FL-REMOTE-SETTING-REFUSED', {}, value.problem.sentence);
  }

  /** Everything that an operator should know. */
  sentences(state: Pick<SettingsState, 'confirmed' | 'unfit' | 'rejected'>): readonly string[] {
    this.#unfit = this.#unfit.filter(
      ({ key, text }) => state.unfit.get(key) === text || state.confirmed.get(key)?.text === text,
    );
    const unfit = this.#unfit.map(({ problem }) => problem.sentence);
    return [...new Set([...this.#attributes.values(), ...unfit, ...rejectedSentences(state.rejected)])];
  }

  #logOnce(name: string, sentence: string): void {
    if (this.#logged.get(name) === sentence || this.#logged.size >= PROBLEMS_MAX) return;
    this.#logged.set(name, sentence);
    logEvent(this.#log, 'FL-REMOTE-SETTING-REFUSED', {}, sentence);
  }
}

/** Of values and deletions that were taken back. */
export function rejectedSentences(rejected: Changes): readonly string[] {
  return remoteSettings.flatMap((setting) => {
    const wish = rejected.get(setting.key);
    if (wish === undefined) return [];
    const name = attributeOf(setting);
    const cause = 'because the server accepted no telemetry with it: correct it, or set it again to retry';
    if (wish === null) return [`shared attribute ${name}: its deletion was taken back, ${cause}`];
    const { key, value } = valueProblem(setting, wish, '');
    return [`shared attribute ${name}: ${key} = ${value} was taken back, ${cause}`];
  });
}

/** For the log: "telemetryInterval=30s, logLevel deleted", bounded. */
export function formatChanges(changes: Changes): string {
  return remoteSettings
    .flatMap((setting) => {
      const wish = changes.get(setting.key);
      if (wish === undefined) return [];
      const { value } = valueProblem(setting, wish, '');
      return [`${attributeOf(setting)}${wish === null ? ' deleted' : `=${value}`}`];
    })
    .join(', ');
}
