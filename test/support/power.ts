/**
 * A disk that lost power: what a run did to a folder (faults.ts), cut off after any of its steps, with what was not synced by then
 * there or missing, whole or by sectors, in any order. What a file system may do (fsync(2), rename(2), POSIX.1-2017 "fsync"), and
 * more than any one does.
 *
 * A file's bytes and length last once it is synced; names last once their folder is. A rename, where it is there, is there
 * whole. A sector of 512 bytes is written or is not.
 */
import type { Random } from '../fuzz/random.js';

const SECTOR = 512;

/** A file by its inode, or a name of the folder, as it was before the run. */
export interface Before {
  readonly folder: number;
  readonly files: readonly { readonly name: string; readonly inode: number; readonly bytes: Buffer }[];
}

type Change =
  | { readonly kind: 'bytes'; readonly inode: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'length'; readonly inode: number; readonly length: number }
  | { readonly kind: 'name'; readonly name: string; readonly inode: number | undefined }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: number };

type Step = Change | { readonly kind: 'sync'; readonly inode: number };

/** The steps of a run. Names are those of the folder, without it. */
export function stepsOfRun(before: Before, events: readonly string[]): readonly Step[] {
  const names = new Map(before.files.map(({ name, inode }) => [name, inode]));
  const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  return events.flatMap((line): Step[] => {
    const space = line.indexOf(' ');
    const [word, rest] = [line.slice(0, space), line.slice(space + 1)];
    const parts = rest.split(' ');
    const inode = Number(parts[0]);
    switch (word) {
      case 'wrote':
        return [{ kind: 'bytes', inode, at: Number(parts[1]), bytes: Buffer.from(parts[2] ?? '', 'hex') }];
      case 'cut':
        return [{ kind: 'length', inode, length: Number(parts[1]) }];
      case 'synced':
        return [{ kind: 'sync', inode }];
      case 'made': {
        const name = base(parts.slice(1).join(' '));
        names.set(name, inode);
        return [{ kind: 'name', name, inode }];
      }
      case 'unlinked': {
        names.delete(base(rest));
        return [{ kind: 'name', name: base(rest), inode: undefined }];
      }
      case 'linked':
      case 'renamed': {
        const [from = '', to = ''] = rest.split('\t').map(base);
        const moved = names.get(from);
        if (moved === undefined) throw new Error(`${line}: no such name`);
        names.set(to, moved);
        if (word === 'linked') return [{ kind: 'name', name: to, inode: moved }];
        names.delete(from);
        return [{ kind: 'rename', from, to, inode: moved }];
      }
      default:
        // Owners and modes change no byte.
        return [];
    }
  });
}

/** What the names lead to after power was lost behind `upTo` steps. `keep` decides what of the unsynced is there. */
export function afterLoss(
  before: Before,
  steps: readonly Step[],
  upTo: number,
  random: Random,
  keep: 'none' | 'all' | 'some',
): ReadonlyMap<string, Buffer> {
  const done = steps.slice(0, upTo);
  // What is behind its last sync: of the file, or, for names, of the folder.
  const lastSync = new Map<number, number>();
  for (const [i, step] of done.entries()) if (step.kind === 'sync') lastSync.set(step.inode, i);
  const isSafe = (change: Change, i: number) => {
    const on = change.kind === 'name' || change.kind === 'rename' ? before.folder : change.inode;
    return i < (lastSync.get(on) ?? -1);
  };
  const safe: Change[] = [];
  const loose: Change[] = [];
  for (const [i, step] of done.entries()) if (step.kind !== 'sync') (isSafe(step, i) ? safe : loose).push(step);
  const there =
    keep === 'all'
      ? loose
      : keep === 'none'
        ? []
        : shuffled(
            loose.flatMap((one) => torn(one, random)),
            random,
          );
  const files = new Map(before.files.map(({ inode, bytes }) => [inode, Buffer.from(bytes)]));
  const names = new Map(before.files.map(({ name, inode }) => [name, inode]));
  for (const change of [...safe, ...there]) apply(change, files, names);
  return new Map([...names].map(([name, inode]) => [name, files.get(inode) ?? Buffer.alloc(0)]));
}

function apply(change: Change, files: Map<number, Buffer>, names: Map<string, number>): void {
  switch (change.kind) {
    case 'bytes': {
      const old = files.get(change.inode) ?? Buffer.alloc(0);
      const now = Buffer.alloc(Math.max(old.length, change.at + change.bytes.length));
      old.copy(now);
      change.bytes.copy(now, change.at);
      files.set(change.inode, now);
      return;
    }
    case 'length': {
      const now = Buffer.alloc(change.length);
      (files.get(change.inode) ?? now).copy(now);
      files.set(change.inode, now);
      return;
    }
    case 'name':
      if (change.inode === undefined) names.delete(change.name);
      else names.set(change.name, change.inode);
      return;
    case 'rename':
      names.delete(change.from);
      names.set(change.to, change.inode);
  }
}

/** Some of the sectors of a write, all or nothing of the rest. */
function torn(change: Change, random: Random): readonly Change[] {
  if (change.kind !== 'bytes') return random.below(2) === 0 ? [] : [change];
  const { inode, at, bytes } = change;
  const parts: Change[] = [];
  const whole = random.below(3);
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR - ((at + from) % SECTOR));
    if (whole === 1 || (whole === 2 && random.below(2) === 0)) {
      parts.push({ kind: 'bytes', inode, at: at + from, bytes: bytes.subarray(from, to) });
    }
    from = to;
  }
  return parts;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const [a, b] = [out[i], out[j]];
    if (a !== undefined && b !== undefined) [out[i], out[j]] = [b, a];
  }
  return out;
}
