/** `layout --html`: opens the images as pages do, asks everything about them, and makes the page. Loaded when it is asked for. */

import { script, scriptHash, style, styleHash } from 'xen-elfpatch:map-page';
import { fail } from '../base/errors/patch-error.js';
import { MOST_HEADERS } from '../edit/elf/plan/most-headers.js';
import { programHeaders } from '../edit/fix/cure.js';
import { pageData } from '../web/work/documents.js';
import { htmlPage } from '../web/work/html-page.js';
import { openWebImage } from '../web/work/open.js';
import { type OpenInput, openInput } from './input.js';
import { startProgress } from './progress.js';

/** The page on one image, or on two. Errors: those of openInput, openWebImage and pageData, `plan.too-many-headers`. */
export async function layoutHtml(
  image: string,
  compare: string | undefined,
  limit: bigint | undefined,
): Promise<string> {
  const inputs: OpenInput[] = [];
  const opened = async (word: string) => {
    const input = openInput(word);
    inputs.push(input);
    const progress = startProgress('unpacking');
    try {
      const image = await openWebImage(input.source, progress.report, limit);
      // The page has all that the commands tell of each of them.
      const headers = image.isPe ? 0 : programHeaders(image.source);
      if (headers > MOST_HEADERS) fail('plan.too-many-headers', { file: word }, { headers, limit: MOST_HEADERS });
      return image;
    } finally {
      progress.end();
    }
  };
  try {
    const first = await opened(image);
    const second = compare === undefined ? undefined : await opened(compare);
    return htmlPage(await pageData(first, second), { script, scriptHash, style, styleHash });
  } finally {
    for (const input of inputs) input.close();
  }
}
