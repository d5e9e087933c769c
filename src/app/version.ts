/**
 * The version of the agent and the day of its release, constants so that the bundle needs no other file. Tests compare them with
 * package.json and CHANGELOG.md.
 */

export const VERSION = '0.1.0';

/** The day on which VERSION was finished, UTC. To be set with it. */
export const RELEASE_DATE = '2026-11-29';

const DAY_MS = 24 * 3_600_000;

/**
 * No clock that is right shows an earlier date, Unix ms: the day before RELEASE_DATE, because a hardware clock can show local
 * time.
 */
export const RELEASED_MS = Date.parse(RELEASE_DATE) - DAY_MS;
