/** The state of the clock, as the status reports it. */

/** What the readings are dated by: `doubted` is a step that no time service has confirmed. */
export type ClockState = 'trusted' | 'synchronised' | 'step unconfirmed' | 'not synchronised';
