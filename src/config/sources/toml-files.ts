/**
 * Reads the configuration file and its drop-ins: the files `*.toml` in the directory conf.d beside it, in the order of their
 * names, without hidden files. A later file takes precedence. A drop-in that cannot be read is a problem.
 */

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../core/model/error-code.ts';
import { problemAt } from '../errors/problem.ts';
import { type Locate, locateHere } from './named-file.ts';
import { brokenTomlFile, readTomlFile, type TomlFile } from './toml-file.ts';

export interface TomlFiles {
  /** The file that the operator named, or the default one. */
  readonly main: TomlFile;
  /** `main`, then its drop-ins. */
  readonly all: readonly TomlFile[];
}

const DIRECTORY = 'conf.d';
const DROP_INS_MAX = 64;

/** `locate`: for the files of a mounted image. */
export function readTomlFiles(path: string, locate: Locate = locateHere): TomlFiles {
  const main = readTomlFile(path, locate);
  const directory = join(dirname(path), DIRECTORY);
  const names = listDropIns(locate(directory));
  if (typeof names === 'string') {
    return {
      main,
      all: [main, brokenTomlFile(directory, problemAt({ name: directory, via: 'file' }, { what: names }))],
    };
  }
  return { main, all: [main, ...names.map((name) => readDropIn(join(directory, name), locate))] };
}

/** The names of the drop-ins in order, or the problem with their directory. */
function listDropIns(directory: string): readonly string[] | string {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    const code = errorCode(error) ?? 'unknown error';
    if (code === 'ENOENT') return [];
    return code === 'ENOTDIR' ? 'is not a directory' : `cannot be listed (${code})`;
  }
  const dropIns = names.filter((name) => name.endsWith('.toml') && !name.startsWith('.')).sort();
  return dropIns.length > DROP_INS_MAX ? `contains more than ${DROP_INS_MAX} files` : dropIns;
}

function readDropIn(path: string, locate: Locate): TomlFile {
  const file = readTomlFile(path, locate);
  if (file.is !== 'missing') return file;
  return brokenTomlFile(
    path,
    problemAt({ name: path, via: 'file' }, { what: 'is a link to a file that does not exist' }),
  );
}
