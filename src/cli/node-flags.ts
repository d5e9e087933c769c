/**
 * How node is started for the agent: the flags the demo gives it, the systemd unit repeats and the bench
 * measures with.
 *
 * Without the first, V8 lets the space for new objects grow to 3 x 16 MiB, which it fills before it collects,
 * however little of it is in use; 1 MiB is more than the agent makes in a minute. A test holds the unit
 * against this list.
 */

export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=1'];
