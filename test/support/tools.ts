/** Programs of the host that tests ask for their opinion: Debian's packages bring them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Throws unless every program can be run; `llvm-objcopy-14`, `eu-elflint`, `qemu-system-x86_64` ... */
export function requireTools(...names: readonly string[]): void {
  const missing = names.filter((name) => !onPath(name));
  if (missing.length > 0) {
    throw new Error(`not on PATH: ${missing.join(', ')}; run as root: scripts/install-debian-packages.sh`);
  }
}

function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
