/**
 * Compiles the DTLS helper with the gcc of another architecture, run by qemu-user inside an unpacked root file system, so that
 * headers, libraries and defaults (64-bit time on armhf) are those of its Debian release.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HELPER } from './compile-c.mjs';
import { root } from './prepare.mjs';

/** The packages that the root file system needs. */
export const COMPILER_PACKAGES = ['gcc', 'libc6-dev', 'libssl-dev'];

/**
 * Returns the path of a script that runs the helper under the emulator. `system` is the root file system, `triple` the GNU name
 * of the machine, `loader` its dynamic linker. Throws with the complaint of the compiler.
 */
export function compileEmulated({ system, emulator, triple, loader, directory }) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [program, object] = [join(directory, 'firstlight-dtls'), join(directory, 'firstlight-dtls.o')];
  const tool = (name, ...commandLine) => {
    const { status, stdout, stderr } = spawnSync(
      emulator,
      ['-L', system, join(system, 'usr/bin', name), ...commandLine],
      {
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(`${name} of ${triple} failed: ${stderr}`);
    return stdout.trim();
  };
  // The kernel cannot start cc1 and as, so gcc gets the emulator as their wrapper; it has none for ld, which is called directly.
  tool(
    'gcc',
    ...['-wrapper', `${emulator},-L,${system}`, `-B${system}/usr/bin/`, `--sysroot=${system}`],
    ...['-isystem', `${system}/usr/include/${triple}`, '-isystem', `${system}/usr/include`],
    ...['-std=c11', '-D_GNU_SOURCE', `-DVERSION="${version}"`, '-Wall', '-Wextra', '-Werror', '-O2', '-fPIE'],
    ...['-c', '-o', object, join(root, HELPER[0])],
  );
  const libraries = join(system, 'usr/lib', triple);
  const own = join(
    system,
    tool('gcc', '-print-libgcc-file-name').replace(/^.*(?=\/lib\/gcc\/)/, '/usr'),
    '..',
  );
  tool(
    'ld',
    ...[
      `--sysroot=${system}`,
      '-pie',
      '--as-needed',
      '--eh-frame-hdr',
      '-dynamic-linker',
      loader,
      '-o',
      program,
    ],
    ...['Scrt1.o', 'crti.o'].map((name) => join(libraries, name)),
    ...[join(own, 'crtbeginS.o'), `-L${own}`, `-L${libraries}`, object, '-lssl', '-lcrypto', '-lc', '-lgcc'],
    ...[join(own, 'crtendS.o'), join(libraries, 'crtn.o')],
  );
  const script = join(directory, 'firstlight-dtls.sh');
  writeFileSync(script, `#!/bin/sh\nexec ${emulator} -L '${system}' '${program}' "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}
