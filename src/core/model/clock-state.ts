/** The state of the clock as `firstlight status` shows it. */

/** `step unconfirmed`: the clock was set, but no time service has confirmed the new time. */
export type ClockState = 'trusted' | 'synchronised' | 'step unconfirmed' | 'not synchronised';
