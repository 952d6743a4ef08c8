/**
 * The chain of Secure Boot with keys of our own: the firmware's variables trust one, by which shim is signed; the machine's owner
 * has enrolled another as a MOK, by which whatever shim starts is signed, and which the firmware does not know. Firmware, shim and
 * GRUB are Debian's, and so is virt-fw-vars, which enrolls the MOK; where an archive has not that one, the firmware's key stands
 * in for the MOK.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { commandOf } from '../judges/roots.js';
import { firmwareVariables, foreignTool, grubEfiRoots, type JudgeRoot } from './images.js';
import { efiMedium, type MachineRun, runMachine } from './machine.js';
import { requireTools } from './tools.js';

const KEY = '/usr/share/ovmf/PkKek-1-snakeoil.key';
const CERTIFICATE = '/usr/share/ovmf/PkKek-1-snakeoil.pem';
/** The firmware's variables with that key in PK, KEK and db, and Secure Boot on. */
const VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd';
/** Debian's own: a version manager's would not see Debian's modules. */
const PYTHON = '/usr/bin/python3';
/** Whose a key in a list is; any will do. */
const OWNER = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const MODULES = 'part_gpt part_msdos fat normal multiboot2 chain serial terminal echo search sleep halt boot'.split(
  ' ',
);
const GRUB_SBAT = `sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md
grub,5,Free Software Foundation,grub,2,https://www.gnu.org/software/grub/
`;

/** A key to sign with, and its certificate. */
interface Signer {
  readonly key: string;
  readonly certificate: string;
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** A chain whose files stand in a folder. */
export class SecureChain {
  readonly #folder: string;
  readonly #firmwares: Signer;
  readonly #mok: Signer;
  readonly #variables: string | undefined;
  readonly #shim: string;
  #made = 0;

  constructor(folder: string) {
    requireTools('sbsign', 'openssl');
    this.#folder = folder;
    this.#firmwares = { key: join(folder, 'test.key'), certificate: CERTIFICATE };
    run('openssl', ['rsa', '-in', KEY, '-passin', 'pass:snakeoil', '-out', this.#firmwares.key]);
    const { roots, missing } = firmwareVariables();
    for (const what of missing) console.log(`no MOK is enrolled: ${what}`);
    const [root] = roots;
    this.#mok = root === undefined ? this.#firmwares : this.#newKey('mok');
    this.#variables = root === undefined ? undefined : this.#enroll(root);
    this.#shim = this.signForFirmware(foreignTool('shim'));
  }

  /** Is there a MOK that the firmware does not know? */
  get hasMok(): boolean {
    return this.#variables !== undefined;
  }

  #newKey(name: string): Signer {
    const [key, certificate] = [join(this.#folder, `${name}.key`), join(this.#folder, `${name}.pem`)];
    const words = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '30'];
    run('openssl', ['req', '-x509', ...words, '-subj', `/CN=${name} of a test/`]);
    return { key, certificate };
  }

  /** Variables in which the owner's key stands as a MOK. */
  #enroll({ path }: JudgeRoot): string {
    const output = join(this.#folder, 'variables.fd');
    const words = ['--input', VARIABLES, '--output', output, '--add-mok', OWNER, this.#mok.certificate];
    const modules = { PYTHONPATH: join(path, 'usr/lib/python3/dist-packages') };
    run(PYTHON, ['-m', 'virt.firmware.vars', ...words], modules);
    return output;
  }

  /** A path for a file of its own. */
  path(name: string): string {
    this.#made += 1;
    return join(this.#folder, `${this.#made}-${name}`);
  }

  /** The image, signed by the MOK: for shim, and for GRUB behind it. */
  sign(image: string): string {
    return this.#sign(image, this.#mok);
  }

  /** The image, signed by the key that the firmware trusts. */
  signForFirmware(image: string): string {
    return this.#sign(image, this.#firmwares);
  }

  #sign(image: string, { key, certificate }: Signer): string {
    const output = this.path('signed');
    run('sbsign', ['--key', key, '--cert', certificate, '--output', output, image]);
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
    const machine = { firmware: 'secure', folder: this.#folder, variables: this.#variables } as const;
    const ran = await runMachine({ ...machine, medium, until, memory });
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
