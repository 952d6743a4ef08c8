/**
 * What a later tool left of an image: is memory the same, are the notes found? Judged on the two files alone, byte by byte;
 * nothing of the forecast is used.
 */
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { type ElfImage, ehdrSize, phdrTable } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { noteAreas } from '../../src/formats/note/areas.js';
import { walkAsXen } from '../../src/loaders/read/loader-walks.js';

/** `kept`, or the first thing that differs. */
export function held(before: Uint8Array, after: Uint8Array): string {
  try {
    const [old, now] = [before, after].map((bytes) => readElf(new BufferSource(bytes, 'image')));
    if (old === undefined || now === undefined) return 'nothing';
    return loadDifference(old, now, before, after) ?? noteDifference(old, now) ?? 'kept';
  } catch (error) {
    if (error instanceof PatchError) return `unreadable: ${error.id}`;
    throw error;
  }
}

function loadsOf({ segments }: ElfImage) {
  return segments.filter(({ p_type, p_memsz }) => p_type === 1 && p_memsz > 0n);
}

function loadDifference(old: ElfImage, now: ElfImage, before: Uint8Array, after: Uint8Array): string | undefined {
  const [a, b] = [loadsOf(old), loadsOf(now)];
  if (a.length !== b.length) return `${a.length} loads, now ${b.length}`;
  const headers = phdrTable(now).end;
  for (const [index, was] of a.entries()) {
    const is = b[index];
    if (is === undefined || is.p_vaddr !== was.p_vaddr || is.p_paddr !== was.p_paddr) return `load ${index} moved`;
    const grew = was.p_offset === 0n && is.p_memsz > was.p_memsz && is.p_memsz === headers;
    if (is.p_memsz !== was.p_memsz && !grew) return `load ${index} has another size`;
    const size = Number(was.p_filesz > is.p_filesz ? was.p_filesz : is.p_filesz);
    // No bytes at all end nowhere: debug files have such loads.
    if (is.p_filesz > 0n && is.p_offset + is.p_filesz > BigInt(after.length))
      return `load ${index} ends behind the file`;
    const x = memoryOf(before, was, size);
    const y = memoryOf(after, is, size);
    // Headers are what a tool writes: those of either image are looked over.
    for (const [image, load] of [
      [old, was],
      [now, is],
    ] as const) {
      const table = phdrTable(image);
      for (const [start, end] of [
        [0n, ehdrSize(image.encoding)],
        [table.start, table.end],
      ] as const) {
        const from = Math.min(size, Math.max(0, Number(start - load.p_offset)));
        const to = Math.max(from, Math.min(size, Number(end - load.p_offset)));
        x.fill(0, from, to);
        y.fill(0, from, to);
      }
    }
    if (Buffer.compare(x, y) !== 0) {
      const at = x.findIndex((byte, i) => byte !== y[i]);
      return `load ${index} holds other bytes at ${at}`;
    }
  }
  return undefined;
}

function memoryOf(bytes: Uint8Array, load: ElfImage['segments'][number], size: number): Buffer {
  const memory = Buffer.alloc(size);
  const start = Number(load.p_offset);
  memory.set(bytes.subarray(start, Math.min(bytes.length, start + Number(load.p_filesz))));
  return memory;
}

function noteDifference(old: ElfImage, now: ElfImage): string | undefined {
  const [a, b] = [notesOf(old), notesOf(now)];
  return a.join('\n') === b.join('\n') ? undefined : `${a.length} notes, now ${b.length}`;
}

/** Xen's notes as Xen walks segments; where no segment has any, all that segments show. */
function notesOf(image: ElfImage): string[] {
  const view = walkAsXen(image);
  const records =
    view.from === 'segments'
      ? view.notes.map(({ record }) => record)
      : noteAreas(image).flatMap(({ kind, walk }) => (kind === 'segment' ? walk.records : []));
  return records.map(
    ({ name, type, desc }) => `${Buffer.from(name).toString('hex')} ${type} ${Buffer.from(desc).toString('hex')}`,
  );
}
