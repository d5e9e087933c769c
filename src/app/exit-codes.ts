/** The exit codes of all commands. 64 to 78 are from sysexits.h; above 128 it is 128 plus a signal number, as in a shell. */

/** Done. For a check: passed. */
export const EX_OK = 0;
/** Not done, or not completely. For a check: failed. For the agent: a bug. */
export const EX_FAILED = 1;
/** The command line is wrong, or a confirmation is needed and input is not a terminal. */
export const EX_USAGE = 64;
/** The input file does not exist. */
export const EX_NOINPUT = 66;
/** A file of the program is missing or damaged. */
export const EX_OSFILE = 72;
/** An output file cannot be created. */
export const EX_CANTCREAT = 73;
/** The output cannot be written. */
export const EX_IOERR = 74;
/** A temporary failure, such as a disk that is not mounted yet; a later start can succeed. */
export const EX_TEMPFAIL = 75;
/** The configuration is invalid. */
export const EX_CONFIG = 78;
/** Cancelled with Ctrl-C (SIGINT). */
export const EX_STOPPED = 130;
/** The output pipe was closed (SIGPIPE). */
export const EX_UNREAD = 141;

/** The exit codes of `firstlight status`. */
export const STATUS_EXIT = { online: 0, offline: 1, actionNeeded: 2, notRunning: 3 } as const;
