/** Debian's chromium on the built page, by playwright-core; the page itself comes from a server of this process. */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { requireTools } from './tools.js';

const ROOT = 'dist/web';
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

/** A browser, and where the page is. */
export interface Served {
  readonly url: string;
  readonly browser: Browser;
  /** A page of its own; what it says of errors is an error of the test. */
  page(options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
}

/** Builds dist/web as `make web` does, serves it, starts the browser. */
export async function servePage(): Promise<Served> {
  requireTools('chromium');
  const { status, stderr } = spawnSync(process.execPath, ['scripts/web.mjs'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/web.mjs: ${stderr}`);
  const server = createServer(({ url = '/' }, response) => {
    const path = new URL(url, 'http://localhost').pathname;
    const file = join(ROOT, path === '/' ? 'index.html' : path);
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    browser,
    async page(options = {}) {
      const page = await browser.newPage(options);
      page.setDefaultTimeout(90_000);
      page.on('pageerror', (error) => {
        throw error;
      });
      return page;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** Drops a file and waits for the answer, or for what is wrong. */
export async function dropFile(page: Page, path: string): Promise<void> {
  await page.evaluate(
    "document.querySelector('#main').replaceChildren(); document.querySelector('#trouble').replaceChildren()",
  );
  await page.setInputFiles('#file', path);
  await page.waitForSelector('body:not([aria-busy]) :is(#answer, #trouble .box)');
}

/** What a button or a link gives as a file. */
export async function downloadOf(page: Page, selector: string): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
  return readFileSync(await download.path());
}

/** A document of the page, as its button gives it. */
export async function documentOf(page: Page, name: 'notes' | 'verify' | 'layout'): Promise<unknown> {
  return JSON.parse((await downloadOf(page, `button[data-document=${name}]`)).toString('utf8'));
}

/** What axe finds on the page as it stands, in words. */
export async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync('node_modules/axe-core/axe.min.js', 'utf8'));
  return page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }).then((found) => found.violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 120)).join(' | ')))",
  );
}
