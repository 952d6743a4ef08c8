/** `layout`: reads one or two images and draws their maps. */
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { isPlainPe } from '../../formats/pe/kind.js';
import { readPe } from '../../formats/pe/read.js';
import { imageMap } from '../../inspect/map/image-map.js';
import { peMap } from '../../inspect/map/pe-map.js';
import { mapSvg } from '../../inspect/map/svg.js';
import { jsonDocument } from '../../report/json.js';
import { mapJson } from '../../report/map-json.js';
import { mapComparison, mapText } from '../../report/map-text.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { warn } from '../finish.js';
import { openImage } from '../input.js';
import { sayErr, tellWritten, terminalWidth, wantsColor, writeOut } from '../output.js';
import { stageBeside } from '../text-file.js';
import type { LayoutArgs } from './layout.js';

/** Runs the command. */
export async function runLayout(args: LayoutArgs): Promise<ExitStatus> {
  const map = await readMap(args.image, args);
  const other = args.compare === undefined ? undefined : await readMap(args.compare, args);
  if (args.svg === '-') {
    writeOut(mapSvg(map, other));
    return 0;
  }
  if (args.svg !== undefined) {
    const images = [args.image, ...(args.compare === undefined ? [] : [args.compare])];
    writePicture(args.svg, mapSvg(map, other), images);
    sayErr(`xen-elfpatch: drawn to ${args.svg}`);
  }
  if (args.json) {
    const text = jsonDocument('layout', { ...mapJson(map), compare: other === undefined ? null : mapJson(other) });
    if (args.svg === undefined) writeOut(text);
    else tellWritten(args.svg, text);
  } else if (args.svg === undefined) {
    const style = styleOf(wantsColor(args.color));
    const width = terminalWidth();
    writeOut(other === undefined ? mapText(map, style, width) : mapComparison(map, other, style, width));
  }
  return 0;
}

/** What the map shows is read here and now, so the image need not stay open. */
async function readMap(word: string, { physical, limit }: LayoutArgs) {
  const input = await openImage(word, (source) => looksLikeElf(source) || isPlainPe(source), limit);
  const by = physical ? 'p_paddr' : 'p_vaddr';
  try {
    return looksLikeElf(input.source) ? imageMap(readElf(input.source), by) : peMap(readPe(input.source), by);
  } finally {
    input.close();
  }
}

/** The whole picture or none, and nothing that it was drawn from is lost. */
function writePicture(path: string, svg: string, images: readonly string[]): void {
  const picture = stageBeside('--svg', path, svg, 'write the picture', images);
  for (const warning of picture.keep()) warn(path, warning);
}
