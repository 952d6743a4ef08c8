/** The documents of `notes`, `verify`, `layout` and `diff` on an open image, as the commands print them. */
import { PatchError } from '../../base/errors/patch-error.js';
import { printable } from '../../base/printable.js';
import { VERSION } from '../../base/version.js';
import type { DiffDocument, LayoutDocument, NotesDocument, VerifyDocument } from '../../documents.js';
import { type ProvedVerdict, proveCure, startSearch } from '../../edit/fix/cure.js';
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
import type { Verdict } from '../../loaders/rule.js';
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
import { offersFor } from './offers.js';
import type { WebImage } from './open.js';
import type { ImageData, PageData, ReleaseVerdict } from './page-data.js';
import { releaseVerdicts } from './releases.js';

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
  const verdicts = judged(image, options);
  const verify: VerifyDocument = JSON.parse(await verifyText(image, options, verdicts));
  const offers = offersFor(image, verdicts, options);
  const wrapped = image.facts === undefined ? undefined : containerText(image.facts);
  const base = { name: image.file.name, wrapped, home: homeOf(image), verify, releases: undefined, offers };
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

/** What every release of a loader makes of an image, oldest first. */
export function releasesOf(image: WebImage, loader: string, options: DocumentOptions): ReleaseVerdict[] {
  return releaseVerdicts(image, loader, options, (each) => proved(image, each, options));
}

async function wholeData(image: WebImage, options: DocumentOptions): Promise<ImageData> {
  const names = image.isPe ? PE_LOADER_NAMES : LOADER_NAMES;
  return { ...(await imageData(image, options)), releases: names.flatMap((name) => releasesOf(image, name, options)) };
}

/** A page that stands for itself, on one image or on two that are compared. */
export async function pageData(first: WebImage, second?: WebImage, options: DocumentOptions = {}): Promise<PageData> {
  const image = await wholeData(first, options);
  if (second === undefined) return { version: VERSION, image, other: undefined, diff: undefined };
  return withDiff(image, await wholeData(second, options), first, second);
}

/** Two images beside each other, in a page that can be asked about more. */
export async function compared(first: WebImage, second: WebImage, options: DocumentOptions): Promise<PageData> {
  return withDiff(await imageData(first, options), await imageData(second, options), first, second);
}

function withDiff(image: ImageData, other: ImageData, first: WebImage, second: WebImage): PageData {
  const text = image.layout === undefined || other.layout === undefined ? undefined : diffDoc(first, second);
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

function homeOf({ isPe, opened }: WebImage): ImageData['home'] {
  return isPe ? 'pe' : (opened?.kind ?? 'elf');
}

/** What each loader makes of the image, with the cures that were seen to work. */
function judged(image: WebImage, { xenVersion = NEWEST_XEN, memory }: DocumentOptions): ProvedVerdict[] {
  const { source, isPe, wrapped } = image;
  const verdicts = judgeLoaders(source, { xenVersion, memory, names: isPe ? PE_LOADER_NAMES : LOADER_NAMES, wrapped });
  return proved(image, verdicts, { xenVersion, memory });
}

function proved(
  image: WebImage,
  verdicts: readonly Verdict[],
  { xenVersion = NEWEST_XEN, memory }: DocumentOptions,
): ProvedVerdict[] {
  const { file, source, wrapped } = image;
  if (image.isPe) return provePe(readPe(source), verdicts, { xenVersion, memory });
  const ways = image.opened === undefined ? undefined : waysFor(image.opened, file);
  const conditions = { xenVersion, memory, wrapped, ways, shared: startSearch(source) };
  return verdicts.map((verdict) => proveCure(source, verdict, conditions));
}

/** The document that `verify --json` prints; an ELF that cannot be read is judged by the loaders alone. */
export async function verifyText(
  image: WebImage,
  options: DocumentOptions,
  verdicts = judged(image, options),
): Promise<string> {
  const { file, source, isPe } = image;
  const { xenVersion = NEWEST_XEN, memory } = options;
  const loaders = { image: file.name, xenVersion, memory, asked: [], rules: false, verdicts };
  if (isPe) {
    const findings = verifyPe(readPe(source), undefined);
    return peVerifyDocument({ file: file.name, baseline: undefined, findings, loaders });
  }
  const facts = { file: file.name, container: image.facts, baseline: undefined, loaders };
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
