/** `layout`: reads one or two images and draws their maps. */
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { isPlainPe } from '../../formats/pe/kind.js';
import { readPe } from '../../formats/pe/read.js';
import { type ImageMap, imageMap } from '../../inspect/map/image-map.js';
import { peMap } from '../../inspect/map/pe-map.js';
import { elfSizes, type ImageSizes, peSizes } from '../../inspect/map/sizes.js';
import { mapSvg } from '../../inspect/map/svg.js';
import { jsonDocument } from '../../report/json.js';
import { mapJson } from '../../report/map-json.js';
import { mapComparison, mapText } from '../../report/map-text.js';
import { sizesJson, sizesText } from '../../report/sizes-report.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { warn } from '../finish.js';
import { openImage } from '../input.js';
import { sayErr, tellWritten, terminalWidth, wantsColor, writeOut } from '../output.js';
import { stageBeside } from '../text-file.js';
import type { LayoutArgs } from './layout.js';

/** Runs the command. */
export async function runLayout(args: LayoutArgs): Promise<ExitStatus> {
  const pictures = [args.svg, args.html].filter((path) => path !== undefined);
  if (args.html !== undefined) await writePage(args, args.html);
  // Who asks for a page asks for the rest by name.
  if (args.html !== undefined && args.svg === undefined && !args.json && !args.sizes) return 0;
  const shown = await look(args.image, args);
  const other = args.compare === undefined ? undefined : await look(args.compare, args);
  if (args.svg === '-') {
    writeOut(mapSvg(shown.map, other?.map));
    return 0;
  }
  if (args.svg !== undefined) {
    writePicture('--svg', args.svg, mapSvg(shown.map, other?.map), args);
    sayErr(`xen-elfpatch: drawn to ${args.svg}`);
  }
  if (args.json) {
    const text = jsonDocument('layout', {
      ...shownJson(shown),
      compare: other === undefined ? null : shownJson(other),
    });
    if (pictures[0] === undefined) writeOut(text);
    else tellWritten(pictures[0], text);
  } else if (pictures[0] === undefined || args.sizes) writeOut(asText(shown, other, args));
  return 0;
}

async function writePage(args: LayoutArgs, path: string): Promise<void> {
  const { layoutHtml } = await import('../layout-html.js');
  const page = await layoutHtml(args.image, args.compare, args.limit);
  if (path === '-') return writeOut(page);
  writePicture('--html', path, page, args);
  sayErr(`xen-elfpatch: the page is in ${path}`);
}

/** What an image shows: its map, and where they were asked for the sizes of its parts. */
interface Shown {
  readonly map: ImageMap;
  readonly sizes: ImageSizes | undefined;
}

function shownJson({ map, sizes }: Shown) {
  return { ...mapJson(map), ...(sizes === undefined ? {} : { sizes: sizesJson(sizes) }) };
}

function asText(shown: Shown, other: Shown | undefined, args: LayoutArgs): string {
  const style = styleOf(wantsColor(args.color));
  if (args.sizes) {
    const texts = [shown, ...(other === undefined ? [] : [other])].flatMap(({ map, sizes }) =>
      sizes === undefined ? [] : [sizesText(map.name, sizes, style)],
    );
    return texts.join('\n');
  }
  const width = terminalWidth();
  return other === undefined ? mapText(shown.map, style, width) : mapComparison(shown.map, other.map, style, width);
}

/** What is shown is read here and now, so the image need not stay open. */
async function look(word: string, { physical, limit, sizes }: LayoutArgs): Promise<Shown> {
  const input = await openImage(word, (source) => looksLikeElf(source) || isPlainPe(source), limit);
  const by = physical ? 'p_paddr' : 'p_vaddr';
  try {
    if (looksLikeElf(input.source)) {
      const image = readElf(input.source);
      return { map: imageMap(image, by), sizes: sizes ? elfSizes(image) : undefined };
    }
    const image = readPe(input.source);
    return { map: peMap(image, by), sizes: sizes ? peSizes(image) : undefined };
  } finally {
    input.close();
  }
}

/** The whole picture or none, and nothing that it was drawn from is lost. */
function writePicture(option: string, path: string, text: string, { image, compare }: LayoutArgs): void {
  const images = [image, ...(compare === undefined ? [] : [compare])];
  const picture = stageBeside(option, path, text, 'write the picture', images);
  for (const warning of picture.keep()) warn(path, warning);
}
