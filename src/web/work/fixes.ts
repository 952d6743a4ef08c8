/** `fix` of an open image, whatever it is: the smallest edit found, what is needed to make the result, and to prove it. */
import { planContainer } from '../../edit/container/pipeline.js';
import { planUnchanged } from '../../edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT } from '../../edit/elf/plan/placement-options.js';
import { type FoundFix, findFix } from '../../edit/fix/fix.js';
import { findPeFix } from '../../edit/fix/pe-fix.js';
import { waysFor } from '../../edit/fix/ways.js';
import { changesLinear, proveLinear } from '../../edit/linear/pipeline.js';
import { readPe } from '../../formats/pe/read.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { fixJson, fixText } from '../../report/fix-report.js';
import { jsonDocument } from '../../report/json.js';
import { linearText } from '../../report/linear-report.js';
import { AS_IT_IS, containerEdit, elfEdit, PLAIN, type PlannedEdit } from './edits.js';
import type { WebImage } from './open.js';

/** A planned fix. */
export interface PlannedFix extends PlannedEdit {
  /** Do all loaders take the result? */
  readonly cured: boolean;
}

/** Under what conditions the loaders are asked; default: the newest Xen, 4 GiB. */
interface FixConditions {
  readonly xenVersion?: XenVersion;
  readonly memory?: bigint | undefined;
}

/** Looks for the smallest edit that makes the loaders take the image. Errors: those of findFix, findPeFix and planContainer. */
export async function planFix(
  image: WebImage,
  loaders: readonly string[],
  { xenVersion = NEWEST_XEN, memory }: FixConditions = {},
): Promise<PlannedFix> {
  const { file, opened, wrapped } = image;
  if (image.isPe) return planPeFix(image, loaders, { xenVersion, memory });
  if (opened === undefined) {
    const found = findFix(image.source, loaders, DEFAULT_PLACEMENT, { xenVersion, memory });
    return fixEdit(found, loaders, file.name, found.plan && elfEdit('fix', found.plan));
  }
  const ways = waysFor(opened, file).filter(({ alone }) => !alone || loaders.length > 0);
  const found = findFix(opened.elf, loaders, DEFAULT_PLACEMENT, { xenVersion, memory, before: wrapped, ways });
  const { payload, compressor, stripSignature = false } = found.fix.wrapper ?? {};
  const options = { ...AS_IT_IS, way: payload, compressor, stripSignature };
  const plan = found.plan && (await planContainer(file, opened, found.plan, options));
  return fixEdit(found, loaders, file.name, plan && containerEdit('fix', plan));
}

function fixEdit(found: FoundFix, loaders: readonly string[], file: string, edit: PlannedEdit | undefined): PlannedFix {
  const { cured } = found;
  const lead = fixText(found, PLAIN, file);
  const told = fixJson(found, loaders);
  if (edit === undefined || !cured) {
    const document = jsonDocument('fix', { file, changed: false, ...told });
    const none = elfEdit('fix', planUnchanged(found.image));
    return { ...none, cured, document, text: lead, changed: false, result: undefined };
  }
  const document = jsonDocument('fix', { ...JSON.parse(edit.document), ...told, schema: 'xen-elfpatch/fix/1' });
  return { ...edit, cured, document, text: `${lead}${edit.text}` };
}

/** The linear layout that verify names, for an image that Multiboot loaders are to take. */
function planPeFix({ source, file }: WebImage, loaders: readonly string[], conditions: FixConditions): PlannedFix {
  const found = findPeFix(readPe(source), loaders, conditions);
  const { layout, cured } = found;
  const lead = fixText(found, PLAIN, file.name);
  const changed = cured && layout !== undefined && changesLinear(layout);
  const facts = { file: file.name, format: 'pe', changed, written: null };
  const size = layout === undefined ? {} : { size: { before: source.size, after: layout.output.size } };
  return {
    document: jsonDocument('fix', { ...facts, ...size, ...fixJson(found, loaders) }),
    text: changed ? `${lead}${linearText(layout, true, { kind: 'planned' }, PLAIN)}` : lead,
    changed,
    cured,
    law: 'the layout is linear, every section holds what it held',
    result: changed ? { kind: 'whole', source: layout.output } : undefined,
    async prove(result) {
      if (layout !== undefined) proveLinear(layout, result);
      return undefined;
    },
  };
}
