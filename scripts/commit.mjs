// The commit that is built, for --version: twelve digits, and + behind them where files differ from it.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

function git(...args) {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.trim() : undefined;
}

/** As a `define` of esbuild; none for sources without a repository, or inside that of somebody else. */
export function commitDefine() {
  const top = git('rev-parse', '--show-toplevel');
  const commit = git('rev-parse', '--short=12', 'HEAD');
  if (top === undefined || commit === undefined || realpathSync(top) !== realpathSync('.')) return {};
  const differs = git('status', '--porcelain', '--untracked-files=no') !== '';
  return { XEN_ELFPATCH_COMMIT: JSON.stringify(`${commit}${differs ? '+' : ''}`) };
}

/** The time of what is built, in seconds: SOURCE_DATE_EPOCH's, else the commit's, else that of the epoch. */
export function commitTime() {
  const told = process.env['SOURCE_DATE_EPOCH'];
  if (told !== undefined && /^\d{1,11}$/.test(told)) return Number(told);
  return Number(git('log', '-1', '--format=%ct') ?? 0);
}

/** The same as a date, 2026-01-31; empty where there is none. */
export function commitDate() {
  const time = commitTime();
  return time === 0 ? '' : new Date(time * 1000).toISOString().slice(0, 10);
}
