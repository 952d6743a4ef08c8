/** Roots of Debian releases in which there is nothing but what a test puts there: where a package is tried. */
import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  /** What stands on both outputs. */
  readonly output: string;
}

/** Runs a program of this machine. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Result {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  return { status, stdout, output: `${stdout}${stderr}` };
}

/** A result that is good; what was said of one that is not is shown. */
export function good(result: Result): Result {
  expect({ status: result.status, output: result.status === 0 ? '' : result.output }).toEqual({
    status: 0,
    output: '',
  });
  return result;
}

/**
 * A root in a folder that does not exist yet: made by debootstrap, and entered by chroot with an environment of its own. With
 * `proc` it has a /proc while something runs in it, as chroots in which things are built have.
 */
export function cleanRoot(root: string, { proc = false } = {}) {
  const enter = proc
    ? ['unshare', '--mount', 'sh', '-c', 'mount -t proc proc "$0/proc" && exec chroot "$0" sh -c "$1"', root]
    : ['chroot', root, 'sh', '-c'];
  return {
    /** Packages are separated by commas. In the root there is no network: they come from this machine's mirror. */
    make(release: string, packages: string): void {
      const mirrors = good(
        run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Origin: Debian', 'Created-By: Packages']),
      ).stdout;
      const mirror = mirrors.split('\n').find((line) => !/security|nodesource/.test(line)) ?? '';
      good(run('debootstrap', ['--variant=minbase', `--include=${packages}`, release, root, mirror]));
    },
    inside(command: string): Result {
      const env = ['-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8'];
      return run('env', [...env, ...enter, command]);
    },
  };
}
