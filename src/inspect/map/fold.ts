/** Which bands of a file a picture draws as one: runs of small ones, where there are more than an eye takes in. */
import type { Band } from './bands.js';

/** A band as it is drawn, and the bands that it stands for; of itself, where it is one. */
export interface DrawnBand extends Band {
  readonly parts: readonly Band[];
}

/** Bands that are drawn each for itself. */
const ENOUGH = 44;
/** What one more band may stand for, at least. */
const RUN = 3;

/**
 * Bands in order, at most about ENOUGH where that can be had: runs of sections, loads and gaps below a size are one band,
 * and the size grows until they are few. Headers, tables and notes are never folded.
 */
export function foldBands(bands: readonly Band[]): DrawnBand[] {
  let drawn = bands.map((band): DrawnBand => ({ ...band, parts: [band] }));
  const largest = bands.reduce((most, { start, end }) => (end - start > most ? end - start : most), 0n);
  for (let limit = 0x40n; drawn.length > ENOUGH && limit <= largest * 4n; limit *= 4n) drawn = foldBelow(bands, limit);
  return drawn;
}

function foldBelow(bands: readonly Band[], limit: bigint): DrawnBand[] {
  const drawn: DrawnBand[] = [];
  let run: Band[] = [];
  const close = () => {
    if (run.length >= RUN) drawn.push(folded(run));
    else drawn.push(...run.map((band): DrawnBand => ({ ...band, parts: [band] })));
    run = [];
  };
  for (const band of bands) {
    const folds = band.kind === 'section' || band.kind === 'load' || band.kind === 'free' || band.kind === 'data';
    if (folds && band.end - band.start < limit) {
      run.push(band);
      continue;
    }
    close();
    drawn.push({ ...band, parts: [band] });
  }
  close();
  return drawn;
}

function folded(parts: readonly Band[]): DrawnBand {
  const named = parts.filter(({ kind }) => kind !== 'free');
  const [first, last] = [named[0] ?? parts[0], named.at(-1) ?? parts.at(-1)];
  const loads = new Set(named.map(({ load }) => load));
  const names = named.length > 1 ? `: ${first?.name} to ${last?.name}` : '';
  return {
    start: parts[0]?.start ?? 0n,
    end: parts.at(-1)?.end ?? 0n,
    kind: named.length > 0 && named.every(({ kind }) => kind === 'load') ? 'load' : 'section',
    name: `${parts.length} parts${names}`,
    load: loads.size === 1 ? first?.load : undefined,
    parts,
  };
}
