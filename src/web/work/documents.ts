/** The documents of `notes`, `verify`, `layout` and `diff` on an open image, as the commands print them. */
import { PatchError } from '../../base/errors/patch-error.js';
import { printable } from '../../base/printable.js';
import { VERSION } from '../../base/version.js';
import type { DiffDocument, LayoutDocument, NotesDocument, VerifyDocument } from '../../documents.js';
import { proveCure } from '../../edit/fix/cure.js';
import { provePe } from '../../edit/fix/pe-advice.js';
import { waysFor } from '../../edit/fix/ways.js';
import { containerText } from '../../formats/container/facts.js';
import { readElf } from '../../formats/elf/read.js';
import { listSymbols } from '../../formats/elf/symbols.js';
import { readPe } from '../../formats/pe/read.js';
import { diffImages } from '../../inspect/diff/diff.js';
import { diffPe } from '../../inspect/diff/pe-diff.js';
import { imageMap } from '../../inspect/map/image-map.js';
import { peMap } from '../../inspect/map/pe-map.js';
import { elfSizes, peSizes } from '../../inspect/map/sizes.js';
import { notesFacts } from '../../inspect/notes/notes-facts.js';
import { judgeLoaders } from '../../loaders/loaders.js';
import { LOADER_NAMES, PE_LOADER_NAMES } from '../../loaders/names.js';
import { spanOf } from '../../loaders/span.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { diffJson } from '../../report/diff-report.js';
import { jsonDocument } from '../../report/json.js';
import { mapJson } from '../../report/map-json.js';
import { notesJson } from '../../report/notes-report.js';
import { peDiffJson } from '../../report/pe-diff-report.js';
import { peFacts, peJson } from '../../report/pe-report.js';
import { peVerifyDocument } from '../../report/pe-verify-report.js';
import { sizesJson } from '../../report/sizes-report.js';
import { verifyDocument } from '../../report/verify-report.js';
import { verifyImage } from '../../verify/elf/verify.js';
import { verifyPe } from '../../verify/pe/verify.js';
import { secondReader } from '../../verify/second-reader.js';
import type { WebImage } from './open.js';
import type { ImageData, PageData } from './page-data.js';

/** Under what conditions loaders get the image, and how much of its symbol table a page carries. */
export interface DocumentOptions {
  readonly xenVersion?: XenVersion;
  readonly memory?: bigint | undefined;
  readonly symbols?: number;
}

/** Symbols in a page that stands for itself. */
export const SYMBOLS_KEPT = 4000;

/** Everything that a page shows of an image. Errors: those of the readers, for what no document tells of. */
export async function imageData(image: WebImage, options: DocumentOptions = {}): Promise<ImageData> {
  const verify: VerifyDocument = JSON.parse(await verifyText(image, options));
  const spans = spansOf(image, options);
  const wrapped = image.facts === undefined ? undefined : containerText(image.facts);
  const base = { name: image.file.name, wrapped, verify, spans };
  if (verify.malformed !== undefined) {
    return { ...base, format: 'cannot be read', notes: undefined, layout: undefined, symbols: [], moreSymbols: 0 };
  }
  const { symbols, total } = image.isPe
    ? { symbols: [], total: 0 }
    : listSymbols(readElf(image.source), options.symbols ?? SYMBOLS_KEPT);
  const notes: NotesDocument = JSON.parse(notesText(image));
  const layout: LayoutDocument = JSON.parse(layoutText(image, true));
  return {
    ...base,
    format: image.isPe ? peMap(readPe(image.source)).format : imageMap(readElf(image.source)).format,
    notes,
    layout,
    symbols: symbols.map(({ name, value }) => [printable(name), value.toString(16)]),
    moreSymbols: total - symbols.length,
  };
}

/** A page on one image, or on two that are compared. */
export async function pageData(first: WebImage, second?: WebImage, options: DocumentOptions = {}): Promise<PageData> {
  const image = await imageData(first, options);
  const other = second === undefined ? undefined : await imageData(second, options);
  const text =
    second === undefined || other?.layout === undefined || !image.layout ? undefined : diffDoc(first, second);
  const diff: DiffDocument | undefined = text === undefined ? undefined : JSON.parse(text);
  return { version: VERSION, image, other, diff };
}

/** The document that `notes --json` prints. Errors: those of readElf and readPe. */
export function notesText({ file, source, isPe, facts }: WebImage): string {
  const shown = { xen: false, raw: false };
  const image = isPe
    ? peJson(peFacts(readPe(source)))
    : { ...notesJson({ ...notesFacts(readElf(source)), container: facts }, shown), file: file.name };
  return jsonDocument('notes', { images: [image] });
}

/** The document that `layout --json` prints, with `--sizes` where they are asked for. */
export function layoutText({ source, isPe }: WebImage, sizes: boolean): string {
  const [map, parts] = isPe
    ? [peMap(readPe(source)), sizes ? peSizes(readPe(source)) : undefined]
    : [imageMap(readElf(source)), sizes ? elfSizes(readElf(source)) : undefined];
  const shown = { ...mapJson(map), ...(parts === undefined ? {} : { sizes: sizesJson(parts) }) };
  return jsonDocument('layout', { ...shown, compare: null });
}

/** The document that `verify --json` prints; an ELF that cannot be read is judged by the loaders alone. */
export async function verifyText(image: WebImage, options: DocumentOptions): Promise<string> {
  const { file, source, isPe, wrapped } = image;
  const { xenVersion = NEWEST_XEN, memory } = options;
  const judged = judgeLoaders(source, { xenVersion, memory, names: isPe ? PE_LOADER_NAMES : LOADER_NAMES, wrapped });
  const loaders = { image: file.name, xenVersion, memory, asked: [], rules: false };
  if (isPe) {
    const pe = readPe(source);
    const verdicts = provePe(pe, judged, { xenVersion, memory });
    const findings = verifyPe(pe, undefined);
    const facts = { file: file.name, baseline: undefined, findings, loaders: { ...loaders, verdicts } };
    return peVerifyDocument(facts);
  }
  const ways = image.opened === undefined ? undefined : waysFor(image.opened, file);
  const verdicts = judged.map((verdict) => proveCure(source, verdict, { xenVersion, memory, wrapped, ways }));
  const facts = { file: file.name, container: image.facts, baseline: undefined, loaders: { ...loaders, verdicts } };
  const elf = readable(image);
  if (elf instanceof PatchError) {
    const nothing = { findings: [], secondReader: { verdict: 'cannot-read', details: [] } } as const;
    return verifyDocument({
      ...facts,
      ...nothing,
      unreadable: elf,
      loaders: { ...facts.loaders, asked: LOADER_NAMES },
    });
  }
  return verifyDocument({ ...facts, findings: verifyImage({ image: elf }), secondReader: await secondReader(elf) });
}

function readable({ source }: WebImage) {
  try {
    return readElf(source);
  } catch (error) {
    if (error instanceof PatchError && error.id !== 'read.open') return error;
    throw error;
  }
}

function spansOf({ source, wrapped }: WebImage, { xenVersion = NEWEST_XEN, memory }: DocumentOptions) {
  const judged = judgeLoaders(source, { xenVersion, memory, wrapped });
  const told = judged.flatMap((verdict) => {
    const span = spanOf(source, verdict, { wrapped, memory });
    return span === undefined ? [] : [[verdict.loader, span] as const];
  });
  return Object.fromEntries(told);
}

/** `diff --json`; undefined for two images that have nothing to be compared by. */
function diffDoc(first: WebImage, second: WebImage): string | undefined {
  if (first.isPe !== second.isPe) return undefined;
  if (first.isPe) {
    const difference = diffPe(readPe(first.source), readPe(second.source));
    return jsonDocument('diff', peDiffJson([first.file.name, second.file.name], difference));
  }
  const [a, b] = [readElf(first.source), readElf(second.source)];
  return jsonDocument('diff', diffJson(a, b, diffImages(a, b)));
}
