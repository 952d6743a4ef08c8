/** What the how-tos offer to be pasted into builds of others: each block in the least build that it fits into. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (...names: string[]) => join(folder.path, ...names);

function blocks(page: string, language: string): readonly string[] {
  const text = readFileSync(join('docs', page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, lines = '']) => lines);
}

function run(cwd: string, command: string, ...args: string[]) {
  const env = { ...process.env, PATH: `${at('bin')}${delimiter}${process.env['PATH'] ?? ''}` };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  return { status, stdout, output: `${stdout}${stderr}` };
}

function good<T extends { readonly status: number | null; readonly output: string }>(result: T): T {
  expect({ status: result.status, output: result.status === 0 ? '' : result.output }).toEqual({
    status: 0,
    output: '',
  });
  return result;
}

function put(name: string, from: string): void {
  copyFileSync(fixture(from), at(name));
  chmodSync(at(name), 0o644);
  const then = Date.now() / 1000 - 100;
  utimesSync(at(name), then, then);
}

beforeEach(() => {
  folder.empty();
  mkdirSync(at('bin'));
  writeFileSync(at('bin/xen-elfpatch'), `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`);
  chmodSync(at('bin/xen-elfpatch'), 0o755);
});

describe('rules for make', () => {
  const [plain = '', stamped = '', kbuild = ''] = blocks('howto-makefile.md', 'make');
  it.each([
    ['the short one', plain],
    ['the one with a stamp', stamped],
  ])('%s makes the image once, and has nothing to do then', (_, rule) => {
    requireTools('make');
    put('kernel.elf', 'pvh64-high-bare');
    writeFileSync(at('Makefile'), rule);
    expect(
      good(run(folder.path, 'make', 'kernel.xen'))
        .stdout.split('\n')
        .filter((line) => /^kernel\.elf: /.test(line)),
    ).toHaveLength(1);
    expect(good(run(folder.path, 'make', 'kernel.xen')).stdout).toMatch(/up to date|Nothing to be done/);
    const once = readFileSync(at('kernel.xen'));
    rmSync(at('kernel.xen'));
    good(run(folder.path, 'make', 'kernel.xen'));
    expect(readFileSync(at('kernel.xen'))).toEqual(once);
    expect(good(run(folder.path, 'make', 'kernel.xen')).stdout).toMatch(/up to date|Nothing to be done/);
  });

  it('with the stamp an image whose bytes stay keeps its time, and make looks once', () => {
    put('kernel.elf', 'pvh64-high-bare');
    writeFileSync(at('Makefile'), stamped);
    good(run(folder.path, 'make', 'kernel.xen'));
    const past = Date.now() / 1000 - 50;
    for (const name of ['kernel.xen', 'kernel.xen.stamp']) utimesSync(at(name), past, past);
    const before = statSync(at('kernel.xen')).mtimeMs;
    utimesSync(at('kernel.elf'), Date.now() / 1000 - 20, Date.now() / 1000 - 20);
    expect(good(run(folder.path, 'make', 'kernel.xen')).stdout).toContain('was left alone');
    expect(statSync(at('kernel.xen')).mtimeMs).toBe(before);
    expect(good(run(folder.path, 'make', 'kernel.xen')).stdout).toMatch(/up to date|Nothing to be done/);
  });

  it("kbuild's runs behind the link, and a second time changes nothing", () => {
    put('vmlinux', 'pvh64-high-bare');
    // What kbuild has in scripts/Kbuild.include, as far as the recipe asks for it.
    const frame =
      "KERNELRELEASE := 6.12.1\ncmd = @$(if $($(quiet)cmd_$(1)),echo '  $($(quiet)cmd_$(1))';) $(cmd_$(1))\nquiet := quiet_\n";
    writeFileSync(at('Makefile.postlink'), `${frame}all: vmlinux\n${kbuild}\n.PHONY: FORCE\n`);
    expect(good(run(folder.path, 'make', '-f', 'Makefile.postlink')).stdout).toBe('  XENNOTE vmlinux\n');
    expect(runCli(['notes', at('vmlinux')]).stdout).toContain('"6.12.1"');
    const once = readFileSync(at('vmlinux'));
    good(
      run(
        folder.path,
        'make',
        '-f',
        'Makefile.postlink',
        'XEN_ELFPATCH_FLAGS=--preset pvh --set PHYS32_ENTRY=phys:_start',
      ),
    );
    good(run(folder.path, 'make', '-f', 'Makefile.postlink', 'XEN_ELFPATCH_FLAGS=--unset PHYS32_ENTRY'));
    good(run(folder.path, 'make', '-f', 'Makefile.postlink'));
    expect(runCli(['notes', at('vmlinux')]).stdout).toContain('"6.12.1"');
    expect(once.length).toBeGreaterThan(0);
  });
});

describe("Xen's build", () => {
  it('xen.efi comes out linear, and signed where a key is named', () => {
    requireTools('make', 'sbsign', 'sbverify', 'openssl');
    const [lines = ''] = blocks('howto-xen.md', 'make');
    put('linked', 'dual.efi');
    writeFileSync(at('Makefile'), `xen.efi: linked\n\tcp $< $@\n${lines}`);
    good(run(folder.path, 'make', 'xen.efi'));
    expect(runCli(['linearize', '--verify', at('xen.efi'), '--baseline', at('linked')]).status).toBe(0);
    const key = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=test',
      '-keyout',
      'k.pem',
      '-out',
      'c.pem',
    ];
    good(run(folder.path, 'openssl', ...key));
    good(run(folder.path, 'make', '-B', 'xen.efi', 'EFI_SIGN_KEY=k.pem', 'EFI_SIGN_CERT=c.pem'));
    good(run(folder.path, 'sbverify', '--cert', 'c.pem', 'xen.efi'));
    expect(runCli(['linearize', '--verify', at('xen.efi'), '--baseline', at('linked')]).status).toBe(0);
  });
});

describe('packages of Xen', () => {
  /** What a package's build made of the fixture: linear, with these lines of SBAT, and metadata of that type. */
  function packaged(file: string, type: string, ...components: readonly string[]): void {
    expect(runCli(['linearize', '--verify', file, '--baseline', fixture('dual.efi')]).status).toBe(0);
    const { status, stdout } = runCli(['stamp', file]);
    expect(status).toBe(0);
    for (const component of ['xen', ...components]) expect(stdout).toContain(`${component},1,`);
    expect(stdout).toContain(`"type":"${type}"`);
    expect(stdout).toContain('"version":"4.20.0-1"');
  }

  it("Debian's rules", () => {
    requireTools('make');
    const [, rules = ''] = blocks('howto-xen.md', 'make');
    put('xen.efi', 'dual.efi');
    writeFileSync(at('rules'), rules);
    mkdirSync(at('debian'));
    // What pkg-info.mk reads.
    writeFileSync(
      at('debian/changelog'),
      'xen (4.20.0-1) unstable; urgency=low\n\n  * Test.\n\n -- T <t@example.org>  Sat, 01 Nov 2025 00:00:00 +0000\n',
    );
    const words = ['-f', 'rules', 'execute_after_dh_strip', 'XEN_EFI=xen.efi'];
    good(run(folder.path, 'make', '-n', ...words));
    good(run(folder.path, 'make', ...words));
    packaged(at('xen.efi'), 'deb', 'xen.debian');
  });

  const [fedora = '', qubes = ''] = blocks('howto-xen.md', 'spec');
  it.each([
    ['Fedora', fedora, '%{_libdir}/efi/xen-%{version}.efi', 'xen.fedora'],
    ['Qubes OS', qubes, '/boot/efi/EFI/qubes/xen-%{version}.efi', 'xen.qubes'],
  ])("%s's spec file", (_, lines, place, component) => {
    requireTools('rpmspec', 'rpmbuild');
    const top = [
      '--define',
      `_topdir ${at('top')}`,
      '--define',
      '_libdir /usr/lib64',
      '--define',
      `output ${at('out')}`,
    ];
    const install = `install -D -m 644 ${fixture('dual.efi')} %{buildroot}${place}\n${lines}\ncp %{buildroot}${place} %{output}`;
    const head = 'Name: xen\nVersion: 4.20.0\nRelease: 1\nSummary: Xen\nLicense: GPL-2.0-only\nBuildArch: noarch\n';
    writeFileSync(at('xen.spec'), `${head}%description\nXen\n%install\nset -e\n${install}\n%files\n${place}\n`);
    good(run(folder.path, 'rpmspec', ...top, '-P', 'xen.spec'));
    good(run(folder.path, 'rpmbuild', ...top, '-bi', 'xen.spec'));
    packaged(at('out'), 'rpm', component);
  });
});

describe('CMake and Meson', () => {
  // A kernel is whatever these build; an object with an entry will do.
  const SOURCE = '.globl _start\n.text\n_start: hlt\n';

  it('xen_elfpatch(TARGET): made of a target that CMake builds, again when the kernel, the arguments or a notes file changed', () => {
    requireTools('cmake', 'ninja', 'make', 'gcc');
    writeFileSync(at('start.S'), SOURCE);
    writeFileSync(at('notes.yaml'), 'preset: pvh\n');
    const text = (args: string) => `cmake_minimum_required(VERSION 3.20)
project(k ASM)
find_package(XenElfpatch REQUIRED)
add_executable(kernel start.S)
target_link_options(kernel PRIVATE -nostdlib -static -no-pie -Wl,-Ttext=0x200000,--build-id=none)
xen_elfpatch(kernel OUTPUT kernel.xen ARGS ${args})
`;
    for (const generator of ['Ninja', 'Unix Makefiles']) {
      const built = `b-${generator.slice(0, 1)}`;
      writeFileSync(at('CMakeLists.txt'), text(`--spec ${at('notes.yaml')}`));
      good(run(folder.path, 'cmake', '-G', generator, '-B', built, `-DCMAKE_PREFIX_PATH=${process.cwd()}`));
      const build = () => good(run(folder.path, 'cmake', '--build', built)).output;
      expect(build()).toContain('Xen notes for kernel');
      expect(build()).not.toContain('Xen notes for kernel');
      const note = () => runCli(['notes', at(built, 'kernel.xen')]).stdout;
      expect(note()).toContain('PHYS32_ENTRY');
      writeFileSync(at('notes.yaml'), `preset: pvh\nnotes:\n  GUEST_OS: ${generator.slice(0, 3)}\n`);
      expect(build()).toContain('Xen notes for kernel');
      expect(note()).toContain(`"${generator.slice(0, 3)}"`);
      writeFileSync(at('CMakeLists.txt'), text('--preset pvh --set GUEST_OS=arguments'));
      expect(build()).toContain('Xen notes for kernel');
      expect(note()).toContain('"arguments"');
      rmSync(at(built, 'kernel.xen'));
      expect(build()).toContain('Xen notes for kernel');
      expect(note()).toContain('"arguments"');
      writeFileSync(at('notes.yaml'), 'preset: pvh\n');
    }
  });

  it('says what a call of xen_elfpatch has wrong', () => {
    writeFileSync(
      at('CMakeLists.txt'),
      'cmake_minimum_required(VERSION 3.20)\nproject(k NONE)\nfind_package(XenElfpatch REQUIRED)\nxen_elfpatch(k OUT x)\n',
    );
    const { status, output } = run(folder.path, 'cmake', '-B', 'b', `-DCMAKE_PREFIX_PATH=${process.cwd()}`);
    expect(status).not.toBe(0);
    expect(output.replace(/\s+/g, ' ')).toContain('unknown OUT;x, wanted OUTPUT, TARGET, ARGS or DEPENDS');
  });

  it('Meson: the subproject makes kernel.xen of kernel.elf', () => {
    requireTools('meson', 'ninja', 'gcc');
    mkdirSync(at('subprojects'));
    cpSync('share/meson', at('subprojects/xen-elfpatch'), { recursive: true });
    writeFileSync(at('start.S'), SOURCE);
    writeFileSync(
      at('meson.build'),
      `project('k', 'c')
xen_elfpatch = subproject('xen-elfpatch', default_options: ['args=--preset,pvh,--set,GUEST_OS=meson']).get_variable('xen_elfpatch')
kernel = executable('kernel.elf', 'start.S', link_args: ['-nostdlib', '-static', '-no-pie', '-Wl,-Ttext=0x200000'], pie: false)
custom_target('kernel.xen', input: kernel, kwargs: xen_elfpatch)
`,
    );
    good(run(folder.path, 'meson', 'setup', 'b'));
    good(run(folder.path, 'meson', 'compile', '-C', 'b'));
    expect(runCli(['notes', at('b/kernel.xen')]).stdout).toContain('"meson"');
    expect(good(run(folder.path, 'ninja', '-C', 'b')).stdout).toContain('no work to do');
    rmSync(at('b/kernel.xen'));
    good(run(folder.path, 'ninja', '-C', 'b'));
    expect(runCli(['notes', at('b/kernel.xen')]).stdout).toContain('"meson"');
  });

  it("the example's subproject is the one that ships", () => {
    for (const name of ['meson.build', 'meson_options.txt']) {
      expect(readFileSync(join('examples/meson/subprojects/xen-elfpatch', name))).toEqual(
        readFileSync(join('share/meson', name)),
      );
    }
    expect(existsSync('share/cmake/XenElfpatch/XenElfpatchConfig.cmake')).toBe(true);
  });
});
