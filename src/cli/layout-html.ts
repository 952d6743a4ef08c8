/** `layout --html`: opens the images as pages do, asks everything about them, and makes the page. Loaded when it is asked for. */

import { script, scriptHash, style, styleHash } from 'xen-elfpatch:map-page';
import { pageData } from '../web/work/documents.js';
import { htmlPage } from '../web/work/html-page.js';
import { openWebImage } from '../web/work/open.js';
import { type OpenInput, openInput } from './input.js';
import { startProgress } from './progress.js';

/** The page on one image, or on two. Errors: those of openInput, openWebImage and pageData. */
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
      return await openWebImage(input.source, progress.report, limit);
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
