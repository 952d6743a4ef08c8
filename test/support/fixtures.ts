/** Our own small kernels, which are committed and need nothing but the clone. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The path of one of our own small kernels, fixtures/README.md. Committed: copy before patching in place. */
export function fixture(name: string): string {
  const path = join(ROOT, 'fixtures/bin', name);
  if (!existsSync(path))
    throw new Error(`no fixture ${name}: fixtures/README.md lists them, make fixtures builds them`);
  return path;
}
