/** The exit codes of all commands. Those from 64 to 78 are from sysexits.h, those above 128 are a shell's: 128 plus a signal. */

/** Done; for a question: yes. */
export const EX_OK = 0;
/** Not done, or not all of it; for a question: no. Of the agent: a bug. */
export const EX_FAILED = 1;
/** The command line is wrong, or there is nobody to ask. */
export const EX_USAGE = 64;
/** The input file does not exist. */
export const EX_NOINPUT = 66;
/** A file of the program is missing or damaged. */
export const EX_OSFILE = 72;
/** An output file cannot be created. */
export const EX_CANTCREAT = 73;
/** The output cannot be written. */
export const EX_IOERR = 74;
/** It may go away by itself, such as a disk that is not mounted yet; another start may succeed. */
export const EX_TEMPFAIL = 75;
/** The configuration is wrong, and a person has to change it. */
export const EX_CONFIG = 78;
/** Stopped by Ctrl-C before the end (SIGINT). */
export const EX_STOPPED = 130;
/** Nobody reads the output any more (SIGPIPE). */
export const EX_UNREAD = 141;

/** Of `firstlight status`: what a script wants to know first. */
export const STATUS_EXIT = { online: 0, offline: 1, actionNeeded: 2, notRunning: 3 } as const;
