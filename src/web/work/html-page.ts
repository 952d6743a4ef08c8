/**
 * The page of `layout --html`: one file with script, style and data in it. Its content policy lets run and apply the two
 * texts that the command itself brings, by their hashes, and nothing else; what comes from an image is data and text.
 */
import { escapeXml } from '../../inspect/map/svg-shapes.js';
import type { PageData } from './page-data.js';

/** What the page is made of besides its data; the hashes as a content policy has them. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  readonly scriptHash: string;
  readonly styleHash: string;
}

/** The whole page. */
export function htmlPage(data: PageData, { script, style, scriptHash, styleHash }: PageParts): string {
  const { image, other, version } = data;
  const name = escapeXml(other === undefined ? image.name : `${image.name} and ${other.name}`);
  const policy = `default-src 'none'; script-src '${scriptHash}'; style-src '${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${name}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header class="top"><h1>${name}</h1></header>
<main id="main"></main>
<footer><p>Made by xen-elfpatch ${escapeXml(version)} layout.</p></footer>
<noscript><p>This page draws itself by a script that stands in it.</p></noscript>
<script id="data" type="application/json">${inert(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Data that ends no element and shows no control characters, wherever it is looked at. */
function inert(data: PageData): string {
  const asEscape = (character: string) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join('');
  return JSON.stringify(data).replace(/[<>&\p{C}\p{Zl}\p{Zp}]/gu, asEscape);
}
