/**
 * Compiles the two C programs with the flags that Debian uses: the DTLS helper, and the DTLS front of the sandbox. Both need
 * libssl. Uses Node only, because it runs before anything is installed.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Source and program, both from the root. */
export const HELPER = ['src/transport/dtls/helper/firstlight-dtls.c', 'dist/firstlight-dtls'];
const FRONT = ['src/sandbox/coaps/dtls-front.c', 'dist/firstlight-dtls-front'];

const STANDARD = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wconversion', '-Wshadow'];
const HARDENED = [
  ...['-O2', '-D_FORTIFY_SOURCE=2', '-fstack-protector-strong', '-fPIE', `-ffile-prefix-map=${root}=.`],
  ...['-pie', '-s', '-Wl,-z,relro,-z,now'],
];
export const SANITIZED = [
  ...['-O1', '-g', '-fno-omit-frame-pointer', '-fsanitize=address,undefined'],
  '-fno-sanitize-recover=undefined',
];

/** Compiles what is older than its source; without a compiler or libssl it prints one line with the reason. */
export function compilePrograms() {
  for (const [source, program] of [HELPER, FRONT]) {
    if (isCurrent(join(root, program), join(root, source))) continue;
    const problem = compileC(join(root, source), join(root, program));
    if (problem === undefined) continue;
    console.log(`no coaps: ${source} is not compiled, because ${problem}`);
    return;
  }
}

/** Returns why it was not possible, undefined if `program` exists now. `flags`: hardened ones by default. */
export function compileC(source, program, flags = HARDENED, compiler = process.env.CC ?? 'cc') {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  mkdirSync(dirname(program), { recursive: true });
  // A build that was interrupted must not leave half a program, which would count as current.
  const part = `${program}.part`;
  const { status, error, stderr } = spawnSync(
    compiler,
    [...STANDARD, ...flags, `-DVERSION="${version}"`, '-o', part, source, '-lssl', '-lcrypto'],
    { encoding: 'utf8' },
  );
  if (error) return `there is no C compiler (${compiler}): apt install gcc libc6-dev libssl-dev`;
  if (status === 0) {
    if (stderr !== '') console.log(stderr.trimEnd());
    renameSync(part, program);
    return undefined;
  }
  if (/openssl\/\S+: No such file|cannot find -l(ssl|crypto)/.test(stderr))
    return 'the headers of OpenSSL are missing: apt install libssl-dev';
  if (/\.h: No such file/.test(stderr))
    return 'the headers of the C library are missing: apt install libc6-dev';
  return `${compiler} refuses it: ${/error: (.*)/.exec(stderr)?.[1] ?? `exit code ${status}`}`;
}

function isCurrent(program, source) {
  return existsSync(program) && statSync(program).mtimeMs >= statSync(source).mtimeMs;
}
