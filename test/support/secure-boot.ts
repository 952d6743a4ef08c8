/**
 * The chain of Secure Boot with a key of our own: that of Debian's test firmware, which its variables trust. Firmware, shim and
 * GRUB are Debian's; shim and GRUB are signed here.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { commandOf } from '../judges/roots.js';
import { foreignTool, grubEfiRoots, type JudgeRoot } from './images.js';
import { efiMedium, type MachineRun, runMachine } from './machine.js';
import { requireTools } from './tools.js';

const KEY = '/usr/share/ovmf/PkKek-1-snakeoil.key';
const CERTIFICATE = '/usr/share/ovmf/PkKek-1-snakeoil.pem';
const MODULES = 'part_gpt part_msdos fat normal multiboot2 chain serial terminal echo search sleep halt boot'.split(
  ' ',
);
const GRUB_SBAT = `sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md
grub,5,Free Software Foundation,grub,2,https://www.gnu.org/software/grub/
`;

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** A chain whose files stand in a folder. */
export class SecureChain {
  readonly #folder: string;
  readonly #key: string;
  readonly #shim: string;
  #made = 0;

  constructor(folder: string) {
    requireTools('sbsign', 'openssl');
    this.#folder = folder;
    this.#key = join(folder, 'test.key');
    run('openssl', ['rsa', '-in', KEY, '-passin', 'pass:snakeoil', '-out', this.#key]);
    this.#shim = this.sign(foreignTool('shim'));
  }

  /** A path for a file of its own. */
  path(name: string): string {
    this.#made += 1;
    return join(this.#folder, `${this.#made}-${name}`);
  }

  /** The image, signed by the key that the firmware trusts. */
  sign(image: string): string {
    const output = this.path('signed');
    run('sbsign', ['--key', this.#key, '--cert', CERTIFICATE, '--output', output, image]);
    return output;
  }

  /** The image, signed where sbsign can sign it: shim reads the headers before it asks for a signature. */
  signOr(image: string): string {
    try {
      return this.sign(image);
    } catch {
      return image;
    }
  }

  /** GRUB of a Debian release that runs these commands, each to its end; what fails is told, and the next one is run. */
  grub(root: JudgeRoot, commands: readonly string[]): string {
    const [config, sbat, output] = [this.path('grub.cfg'), this.path('sbat.csv'), this.path('grub.efi')];
    const setup = ['serial --unit=0 --speed=115200', 'terminal_output serial', 'search --file /efi/boot/k0 --set=root'];
    writeFileSync(config, `${[...setup, ...commands, 'echo ALL DONE', 'sleep 1', 'halt'].join('\n')}\n`);
    writeFileSync(sbat, GRUB_SBAT);
    const { file, args, env } = commandOf(root, 'grub-mkimage');
    const words = ['-O', 'x86_64-efi', '-d', join(root.path, 'usr/lib/grub/x86_64-efi'), '--sbat', sbat, '-c', config];
    const made = spawnSync(file, [...args, ...words, '-p', '/EFI/BOOT', '-o', output, ...MODULES], {
      encoding: 'utf8',
      env,
    });
    if (made.status !== 0) throw new Error(`grub-mkimage: ${made.stderr}`);
    return this.sign(output);
  }

  /** Boots what stands in the place of the first program; with `second`, shim, which starts that. */
  async boot(
    { first, second, files = {} }: { first?: string; second?: string; files?: Readonly<Record<string, string>> },
    { until, memory = 256 }: { until: RegExp; memory?: number },
  ): Promise<MachineRun> {
    const beside = second === undefined ? files : { ...files, 'grubx64.efi': second };
    const medium = efiMedium(this.#folder, first ?? this.#shim, beside);
    const ran = await runMachine({ firmware: 'secure', medium, folder: this.#folder, until, memory });
    return { ...ran, serial: stripVTControlCharacters(ran.serial).replaceAll('\r', '') };
  }
}

/** GRUB by its version; a release that a mirror no longer has is missing. */
export function grubs(): { readonly found: ReadonlyMap<string, JudgeRoot>; readonly missing: readonly string[] } {
  const { roots, missing } = grubEfiRoots();
  const found = roots.map(
    (root) => [/^\d+\.\d+/.exec(root.versions['grub-efi-amd64-bin'] ?? '')?.[0] ?? '', root] as const,
  );
  return { found: new Map(found), missing };
}
