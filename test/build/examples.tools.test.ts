import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

// `xen-elfpatch` on the PATH, as installed.
const bin = join(folder.path, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'xen-elfpatch'), `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`);
chmodSync(join(bin, 'xen-elfpatch'), 0o755);
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };

// A copy of what the examples refer to.
for (const name of ['examples', 'share', 'scripts/xen-elfpatch.mk'])
  cpSync(name, join(folder.path, name), { recursive: true });
symlinkSync(resolve('fixtures'), join(folder.path, 'fixtures'));

function run(cwd: string, command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: join(folder.path, cwd), env, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

function isGood(image: string): void {
  expect(runCli(['verify', join(folder.path, image), '--for', 'qemu-pvh', '--for', 'xen-pvh']).status).toBe(0);
}

describe('the examples build as they stand', () => {
  it('make', () => {
    requireTools('make');
    expect(run('examples/make', 'make', '-j2')).toMatchObject({ status: 0 });
    isGood('examples/make/kernel.xen');
  });

  it('Meson', () => {
    requireTools('meson', 'ninja');
    expect(run('examples/meson', 'meson', 'setup', 'build')).toMatchObject({ status: 0 });
    expect(run('examples/meson', 'meson', 'compile', '-C', 'build')).toMatchObject({ status: 0 });
    isGood('examples/meson/build/kernel.xen');
  });

  it('CMake', () => {
    requireTools('cmake', 'ninja');
    expect(run('examples/cmake', 'cmake', '-G', 'Ninja', '-B', 'build')).toMatchObject({ status: 0 });
    expect(run('examples/cmake', 'cmake', '--build', 'build')).toMatchObject({ status: 0 });
    isGood('examples/cmake/build/kernel.xen');
  });

  it('the CI gate says yes to a stamped kernel, and to another no with the edit that would fix it', () => {
    const good = join(folder.path, 'good');
    expect(runCli(['stamp', fixture('pvh64-notes'), '-o', good, '--package-metadata', 'name=k']).status).toBe(0);
    expect(run('examples/ci', './check-kernel.sh', good)).toMatchObject({ status: 0 });
    const bare = run('examples/ci', './check-kernel.sh', fixture('mb1'), 'xen-pvh');
    expect(bare.status).toBe(1);
    expect(bare.output).toMatch(/no fix is known\n +xen-pvh +another way/);
  });
});

describe('what ships beside the bundle', () => {
  it('one file that needs nothing else', () => {
    expect(spawnSync(process.execPath, ['scripts/single.mjs']).status).toBe(0);
    const alone = join(folder.path, 'alone.mjs');
    cpSync('dist/xen-elfpatch.mjs', alone);
    const patched = join(folder.path, 'patched');
    const { status, stderr } = spawnSync(
      process.execPath,
      [alone, 'patch', fixture('pvh64-bare'), '--preset', 'pvh', '-o', patched],
      { encoding: 'utf8' },
    );
    expect({ status, stderr: stderr.replace(/^.*warning.*\n/gm, '') }).toEqual({ status: 0, stderr: '' });
    expect(runCli(['patch', fixture('pvh64-bare'), '--preset', 'pvh', '-o', `${patched}2`]).status).toBe(0);
    expect(readFileSync(patched)).toEqual(readFileSync(`${patched}2`));
  });
});

describe('completion', () => {
  const complete = (line: string) => {
    const words = line.split(' ');
    const script = `${runCli(['completion', 'bash']).stdout}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _xen_elfpatch; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    return { words: stdout.split('\n').filter((word) => word !== ''), stderr };
  };

  it('bash: commands, options, choices', () => {
    expect(complete('xen-elfpatch pa')).toEqual({ words: ['patch'], stderr: '' });
    expect(complete('xen-elfpatch patch --pre')).toEqual({ words: ['--preset'], stderr: '' });
    expect(complete('xen-elfpatch patch --placement in')).toEqual({ words: ['in-place'], stderr: '' });
    expect(complete('xen-elfpatch verify --for linux').words).toEqual(['linux-loader']);
    expect(complete('xen-elfpatch verify --for = qemu').words).toEqual(['qemu-pvh', 'qemu-multiboot']);
    expect(complete('xen-elfpatch patch --set PHYS32_E').words).toEqual(['PHYS32_ENTRY=']);
    expect(complete('xen-elfpatch help pa').words).toEqual(['patch']);
    expect(complete('xen-elfpatch patch --preset pvh').words).toEqual(['pvh', 'pvh+dom0']);
    expect(complete('xen-elfpatch explain build').words).toEqual([]);
    expect(complete('xen-elfpatch explain surv').words).toEqual(['survival']);
    expect(complete('xen-elfpatch explain --js').words).toEqual(['--json']);
    expect(complete('xen-elfpatch completion b').words).toEqual(['bash']);
    expect(complete('xen-elfpatch notes packa').words).toEqual(['package.json', 'package-lock.json'].sort());
    expect(complete('xen-elfpatch diff --').words).not.toContain('--preset');
  });

  it('bash: what is behind NAME=, and behind the commas of a list', () => {
    // As bash cuts the line: `=` is a word of its own.
    expect(complete('xen-elfpatch patch --set PAE_MODE = b').words).toEqual(['bimodal']);
    expect(complete('xen-elfpatch patch --set PAE_MODE =').words).toContain('yes');
    expect(complete('xen-elfpatch patch --set = PHYS32_ENTRY = ph').words).toEqual(['phys:', 'phys:entry']);
    expect(complete('xen-elfpatch mkelf32 --note LOADER = g').words).toEqual(['generic']);
    expect(complete('xen-elfpatch stamp --package-metadata ty').words).toEqual(['type=']);
    expect(complete('xen-elfpatch stamp --package-metadata type = d').words).toEqual(['deb']);
    expect(complete('xen-elfpatch patch --must-survive strip,eu-strip-o').words).toEqual([
      'strip,eu-strip-o',
      'strip,eu-strip-o@0.188',
    ]);
    expect(complete('xen-elfpatch patch --must-survive = strip,flat,pa').words[0]).toBe('strip,flat,patchelf');
    expect(complete('xen-elfpatch mkelf32 --keep sections,s').words).toEqual(['sections,sections', 'sections,symbols']);
  });

  it('zsh: options with their descriptions, what is behind NAME= and behind commas', () => {
    requireTools('zsh');
    const script = folder.write('_offered', Buffer.from(runCli(['completion', 'zsh']).stdout));
    // The builtins that a completion calls stand here as functions that print what they are given.
    const offered = (...words: string[]) => {
      const program = `
compdef() { }; _files() { print FILES }
_describe() { local -a all; all=("\${(@P)argv[-1]}"); print -l -- "\${(@M)all:#$PREFIX*}" }
compset() { shift; local before=$PREFIX; if [[ $1 == 1 ]]; then PREFIX=\${PREFIX#\${~2}}; else PREFIX=\${PREFIX##\${~1}}; fi; [[ $before != "$PREFIX" ]] }
compadd() { local -a all; all=("\${(@)argv[\${argv[(i)--]}+1,-1]}"); print -l -- "\${(@M)all:#$PREFIX*}" }
source ${script}
words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=\${#words}; PREFIX=\${words[CURRENT]}
_xen_elfpatch`;
      const { stdout, stderr } = spawnSync('zsh', ['-fc', program], { encoding: 'utf8' });
      expect(stderr).toBe('');
      return stdout.split('\n').filter((word) => word !== '');
    };
    expect(offered('xen-elfpatch', 'pa')).toEqual(['patch:write Xen notes into a linked ELF']);
    expect(offered('xen-elfpatch', 'patch', '--pres')).toEqual([expect.stringMatching(/^--preset:pv, pv32/)]);
    expect(offered('xen-elfpatch', 'verify', '--for', 'qemu-p')).toEqual(['qemu-pvh']);
    expect(offered('xen-elfpatch', 'verify', '--for=qemu-p')).toEqual(['qemu-pvh']);
    expect(offered('xen-elfpatch', 'patch', '--set', 'PAE')).toEqual(['PAE_MODE=']);
    expect(offered('xen-elfpatch', 'patch', '--set', 'PAE_MODE=y')).toEqual(['yes']);
    expect(offered('xen-elfpatch', 'patch', '--set=PAE_MODE=b')).toEqual(['bimodal']);
    expect(offered('xen-elfpatch', 'patch', '--set', 'INFO=file:')).toContain('FILES');
    expect(offered('xen-elfpatch', 'patch', '--must-survive', 'strip,pa')[0]).toBe('patchelf');
    expect(offered('xen-elfpatch', 'notes', '')).toEqual(['FILES']);
  });

  it('zsh: the script is one that zsh takes', () => {
    requireTools('zsh');
    const script = folder.write('_xen-elfpatch', Buffer.from(runCli(['completion', 'zsh']).stdout));
    expect(spawnSync('zsh', ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const loaded = spawnSync(
      'zsh',
      ['-fc', `autoload -U compinit; compinit -u -d ${script}.dump; source ${script}; print $_comps[xen-elfpatch]`],
      { encoding: 'utf8' },
    );
    expect(loaded.stdout.trim()).toBe('_xen_elfpatch');
  });

  it('refuses other shells', () => {
    expect(runCli(['completion', 'tcsh'])).toMatchObject({ status: 2, stdout: '' });
  });

  it('fish: commands, options with their descriptions, values', () => {
    requireTools('fish');
    const script = folder.write('completion.fish', Buffer.from(runCli(['completion', 'fish']).stdout));
    const offered = (line: string) => {
      const program = `source ${script}; complete -C '${line}'`;
      const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', program], {
        encoding: 'utf8',
        env: { ...process.env, HOME: folder.path },
      });
      expect(stderr).toBe('');
      return stdout.split('\n').filter((word) => word !== '');
    };
    expect(offered('xen-elfpatch pa')).toEqual(['patch\twrite Xen notes into a linked ELF']);
    expect(offered('xen-elfpatch patch --pres')).toEqual([expect.stringMatching(/^--preset\tpv, pv32/)]);
    expect(offered('xen-elfpatch verify --for qemu-p')).toEqual([expect.stringMatching(/^qemu-pvh(\t|$)/)]);
    expect(offered('xen-elfpatch explain surv')).toEqual([expect.stringMatching(/^survival(\t|$)/)]);
    expect(offered('xen-elfpatch patch --set PAE')).toEqual([expect.stringMatching(/^PAE_MODE=/)]);
    expect(offered('xen-elfpatch patch --set PAE_MODE=y')).toEqual([expect.stringMatching(/^PAE_MODE=yes/)]);
    expect(offered('xen-elfpatch patch --must-survive strip,pa')[0]).toMatch(/^strip,patchelf/);
    expect(offered('xen-elfpatch diff --preset').length).toBe(0);
  });
});
