/**
 * `firstlight prepare-image --check`: checks whether this system or a mounted image is safe to clone. Changes nothing.
 * Exit codes: 0 ready, 1 not ready, with one line for each problem.
 */

import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { EX_FAILED, EX_OK } from '../../app/exit-codes.ts';
import { findOtherTraces } from '../../image/host-traces.ts';
import { inspectImage } from '../../image/inspect.ts';
import { locateInImage } from '../../image/locate.ts';
import type { Out } from '../ui/terminal.ts';
import { imageConfigProblems } from './image-config.ts';
import { BOOT_FILES } from './import-command.ts';

export interface CheckOptions {
  readonly root?: string;
  readonly state?: string;
}

/** systemd stores the state of a dynamic user in the private directory. */
const STATE_DIRECTORIES: readonly string[] = ['/var/lib/private/firstlight', '/var/lib/firstlight'];

export function checkImage(options: CheckOptions, out: Out): number {
  const root = resolve(options.root ?? '/');
  if (!lstatSync(locateInImage(root, '/etc'), { throwIfNoEntry: false })?.isDirectory()) {
    out.write(`${root} is not the root of a system: it has no directory etc\n`);
    return EX_FAILED;
  }
  const problems = inspectImage({
    root,
    states: options.state === undefined ? STATE_DIRECTORIES : [options.state],
    bootFiles: BOOT_FILES,
    configuration: imageConfigProblems(root),
  });
  for (const problem of problems) out.write(`${problem}\n`);
  out.write(
    problems.length === 0 ? `${root} is ready to be cloned\n` : `${root} is not ready to be cloned\n`,
  );
  for (const { what, paths } of findOtherTraces(root)) {
    out.write(
      `also consider: ${what} (${paths.slice(0, SHOWN_MAX).join(', ')}${paths.length > SHOWN_MAX ? ', …' : ''})\n`,
    );
  }
  return problems.length === 0 ? EX_OK : EX_FAILED;
}

const SHOWN_MAX = 3;
