/**
 * The narrator: what the session's steps mean to an operator, each change said once.
 *
 * A refusal is told when its reason first appears and not at each repetition; the end of a trouble is told
 * with its length. Nothing here decides anything.
 */

import type { LogFields, Logger } from './ports.ts';
import type { Refusal } from './refusal.ts';
import type { Event, State } from './session-state.ts';
import { VERDICTS } from './verdicts.ts';

export class Narrator {
  readonly #log: Logger;
  readonly #server: string;
  #isUnsaved = false;
  #trouble: { readonly reason: Refusal['reason']; readonly sinceMs: number } | undefined;

  constructor(log: Logger, server: string) {
    this.#log = log;
    this.#server = server;
  }

  /** Tells the step from `before` to `after` by `event`, if it is worth a line. */
  tell(before: State, event: Event, after: State, monotonicMs: number): void {
    switch (event.type) {
      case 'remembered':
        return this.#remembered(event, after);
      case 'intended':
        return this.#log.info('provisioning', { device: event.claim.deviceName, server: this.#server });
      case 'issued':
        this.#isUnsaved = false;
        this.#over(monotonicMs);
        return this.#log.info('provisioned: token stored', deviceOf(after));
      case 'probed':
        return this.#probed(before, event.ours, after, monotonicMs);
      case 'adopted':
        this.#isUnsaved = false;
        this.#over(monotonicMs);
        return this.#log.info('provisioned: token stored', deviceOf(after));
      case 'delivered':
        return this.#over(monotonicMs);
      case 'unkept':
        return this.#unsaved(event.refusal, after);
      case 'refused':
        if (before.at === 'adopt') return this.#unsaved(event.refusal, after);
        return this.#refused(before, event.refusal, after, monotonicMs);
      case 'stepped':
      case 'elapsed':
        return;
    }
  }

  #remembered(event: Event & { type: 'remembered' }, after: State): void {
    if (!event.record) return this.#log.info('no credentials found');
    if (event.record.state === 'pending') {
      return this.#log.info('an earlier provisioning was interrupted: picking it up', deviceOf(after));
    }
    this.#log.info('credentials found', { device: event.record.deviceName, server: event.record.server });
  }

  #probed(before: State, ours: boolean, after: State, monotonicMs: number): void {
    // The server declined the name and does not know our token either: only now is it a refusal.
    if (after.at === 'wait') return this.#refused(before, after.refusal, after, monotonicMs);
    if (before.at === 'retry') {
      if (ours) this.#log.info('the server takes the earlier token again');
      else this.#log.debug('the server does not take the earlier token');
      return;
    }
    if (ours)
      return this.#log.info('the server already knows our token: an earlier answer was lost, nothing else');
    this.#log[this.#quiet()]('the server does not know our token yet');
  }

  #refused(before: State, refusal: Refusal, after: State, monotonicMs: number): void {
    const fields: LogFields = {
      reason: refusal.reason,
      seen: refusal.detail,
      while: before.at,
      ...deviceOf(before),
      ...(after.at === 'wait' && { retryInS: Math.ceil(after.forMs / 1000) }),
    };
    if (after.at === 'intend') {
      return this.#log.error(
        'the token was refused for minutes: the gateway provisions again under its own name, and goes on trying the old token; delete the device in ThingsBoard if it is to come back as a new one',
        fields,
      );
    }
    if (after.at !== 'wait') {
      return this.#log[this.#quiet()](
        'the server declined the name: asking whether our token is already known',
        fields,
      );
    }
    if (this.#trouble?.reason === refusal.reason) return this.#log.debug('still refused', fields);
    this.#trouble = { reason: refusal.reason, sinceMs: this.#trouble?.sinceMs ?? monotonicMs };
    const verdict = VERDICTS[refusal.reason];
    this.#log[verdict.level](verdict.sentence, fields);
  }

  /** The token is known and used, but a power cut would lose it: said once, and once when it is over. */
  #unsaved(refusal: Refusal, after: State): void {
    const fields = { seen: refusal.detail, ...deviceOf(after) };
    if (this.#isUnsaved) return this.#log.debug('the token still cannot be stored', fields);
    this.#isUnsaved = true;
    this.#log.error(
      'the token cannot be stored, and a power cut now would lose it: check space, rights and health of the state directory; telemetry is delivered meanwhile',
      fields,
    );
  }

  /** The steps of a repetition are no news: while a trouble lasts they are told to nobody who did not ask. */
  #quiet(): 'debug' | 'info' {
    return this.#trouble ? 'debug' : 'info';
  }

  #over(monotonicMs: number): void {
    if (!this.#trouble) return;
    const { reason } = this.#trouble;
    const over =
      reason === 'store-failed' ? 'the credentials can be written again' : 'the server answers again';
    this.#log.info(over, {
      afterS: Math.round((monotonicMs - this.#trouble.sinceMs) / 1000),
    });
    this.#trouble = undefined;
  }
}

function deviceOf(state: State): LogFields {
  return 'claim' in state ? { device: state.claim.deviceName } : {};
}
