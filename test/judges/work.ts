/** What all judges share: files for the images, two questions at a time, and which images a run asks about. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Flavour, type Kernel, kernels } from './kernels.js';

/** Writes the image where everybody may read it; returns its path. */
export function imageFile(folder: string, { name, bytes }: Kernel): string {
  const path = join(folder, name.replace(':', '-'));
  writeFileSync(path, bytes);
  chmodSync(path, 0o644);
  return path;
}

/**
 * What this run asks: `share`: every so manieth image of the committed table (each run of the tests). JUDGES=all: all of them, and
 * the table is written anew. JUDGES=new: those only that it has no answer for. JUDGES=fresh:FROM:TO: images that no table has, by
 * their seeds.
 */
export type Scope =
  | { readonly kind: 'share' }
  | { readonly kind: 'all' }
  | { readonly kind: 'new' }
  | { readonly kind: 'fresh'; readonly from: number; readonly to: number };

export function scopeOf(text: string | undefined): Scope {
  if (text === undefined || text === '') return { kind: 'share' };
  if (text === 'all' || text === 'new') return { kind: text };
  const [, from, to] = /^fresh:(\d+):(\d+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new Error(`JUDGES=${text}: all, new, or fresh:FROM:TO`);
  return { kind: 'fresh', from: Number(from), to: Number(to) };
}

/** Images of a table: so many of each flavour, from seed 0. */
export type Counts = Readonly<Partial<Record<Flavour, number>>>;

/** All images of a table. */
export function imagesOf(counts: Counts): Kernel[] {
  return Object.entries(counts).flatMap(([flavour, count]) => kernels(flavour as Flavour, 0, count));
}

/** Fresh ones of the same flavours. */
export function freshImages(counts: Counts, from: number, to: number): Kernel[] {
  return Object.keys(counts).flatMap((flavour) => kernels(flavour as Flavour, from, to));
}

/** Asks about all, two at a time: there are two cores. */
export async function askAll(
  images: readonly Kernel[],
  ask: (kernel: Kernel) => Promise<string>,
): Promise<Map<string, string>> {
  const heard = new Map<string, string>();
  const rest = [...images].reverse();
  const worker = async (): Promise<void> => {
    for (let kernel = rest.pop(); kernel !== undefined; kernel = rest.pop()) heard.set(kernel.name, await ask(kernel));
  };
  await Promise.all([worker(), worker()]);
  return heard;
}
