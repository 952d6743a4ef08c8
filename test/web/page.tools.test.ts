/** The page of `make web` in a real browser: what it says is what the command says, and what it makes is what the command writes. */
import { closeSync, copyFileSync, ftruncateSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeFaults, documentOf, downloadOf, dropFile, type Served, servePage } from '../support/browser.js';
import { runCli, workFolder } from '../support/cli.js';
import { elf } from '../support/elf-builder.js';

const FIXTURES = readdirSync('fixtures/bin');
const HOSTILE = '<img src=x onerror="document.title=1">';
const folder = workFolder();
let served: Served;
let page: Page;

beforeAll(async () => {
  for (const name of FIXTURES) copyFileSync(join('fixtures/bin', name), join(folder.path, name));
  writeFileSync(join(folder.path, 'packed.gz'), gzipSync(readFileSync('fixtures/bin/pvh64-bare')));
  served = await servePage();
  page = await served.page();
  await page.goto(served.url);
});
afterAll(async () => {
  await served?.close();
  folder.remove();
});

const at = (name: string) => join(folder.path, name);
const command = (...args: string[]) => runCli(args, { cwd: folder.path });
const told = (...args: string[]) => JSON.parse(command(...args, '--json').stdout);

describe('a file that is dropped', () => {
  it.each(FIXTURES)('%s: verdicts, notes and map are those of the command', async (name) => {
    await dropFile(page, at(name));
    expect(await documentOf(page, 'verify')).toEqual(told('verify', name));
    expect(await documentOf(page, 'notes')).toEqual(told('notes', name));
    expect(await documentOf(page, 'layout')).toEqual(told('layout', name));
  });

  it('something that is no kernel, or a damaged one, is told as in the command, with its id', async () => {
    writeFileSync(at('text'), 'no kernel');
    writeFileSync(at('cut.gz'), gzipSync(readFileSync(at('pvh64-notes'))).subarray(0, 900));
    for (const name of ['text', 'cut.gz']) {
      await dropFile(page, at(name));
      const [error] = told('notes', name).errors;
      expect(await page.getAttribute('#trouble .box', 'data-problem')).toBe(error.id);
      expect(await page.innerText('#trouble .box')).toContain(error.message);
    }
  });

  it('names from a file are text, whatever they look like', async () => {
    const builder = elf({ bits: 64, endian: 'little' }).load(0x100000n, new Uint8Array(64).fill(1));
    writeFileSync(
      at('hostile'),
      builder
        .section(HOSTILE, { bytes: new Uint8Array(99) })
        .symbol(HOSTILE, 1n)
        .build(),
    );
    await dropFile(page, at('hostile'));
    expect(await page.innerText('#sizes')).toContain(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    const single = at('hostile.html');
    expect(command('layout', 'hostile', '--html', single).status).toBe(0);
    const own = await served.page();
    await own.goto(`file://${single}`);
    expect(await own.innerText('#sizes')).toContain(HOSTILE);
    expect([await own.locator('img').count(), await own.title()]).toEqual([0, 'hostile']);
    await own.close();
  });
});

describe('hostile names', () => {
  const LE64 = { bits: 64, endian: 'little' } as const;
  const notes = [
    { name: HOSTILE, type: 1, desc: Buffer.from(HOSTILE) },
    { type: 6, desc: Buffer.from(`${HOSTILE}\0`) },
  ];
  const image = elf(LE64)
    .load(0x100000n, new Uint8Array(64).fill(1))
    .noteSegment(notes, { section: HOSTILE })
    .symbol(HOSTILE, 0x100010n)
    .build();
  // Eight bytes are the whole name of a section of a PE image.
  const pe = readFileSync('fixtures/bin/dual.efi');
  pe.write('<b>"&\'x', pe.indexOf('.text\0\0\0', 0, 'latin1'), 8, 'latin1');
  // A file's own name may hold all but a slash.
  const files: readonly (readonly [name: string, bytes: Uint8Array, shown: readonly string[]])[] = [
    ['<img src=x onerror=document.title=1>', image, [HOSTILE, '<img src=x onerror=document.title=1>']],
    ['<script><b>&quot;.efi', pe, ['<script><b>&quot;.efi', '<b>"&\'x']],
  ];
  it.each(files)(
    '%s: in notes, sections, symbols and the name of the file they are text',
    async (name, bytes, shown) => {
      writeFileSync(at(name), bytes);
      const title = await page.title();
      await dropFile(page, at(name));
      for (const text of shown) expect(await page.locator('#main').textContent()).toContain(text);
      expect([await page.locator('#main :is(img, script)').count(), await page.title()]).toEqual([0, title]);
      expect(command('layout', name, '--html', 'single.html').status).toBe(0);
      const own = await served.page();
      await own.goto(`file://${at('single.html')}`);
      for (const text of shown) expect(await own.locator('body').innerText()).toContain(text);
      expect([await own.locator('#main :is(img, script)').count(), await own.title()]).toEqual([0, name]);
      await own.close();
    },
  );
});

describe('a result', () => {
  const edits: readonly [string, string[], (page: Page) => Promise<void>][] = [
    ['pvh64-bare', ['--set', 'GUEST_OS=page'], async () => page.fill('#edit-set', 'GUEST_OS=page')],
    [
      'pvh64-notes',
      ['--clear', '--set', 'PAE_MODE=yes'],
      async () => {
        await page.check('#edit-clear');
        await page.fill('#edit-set', 'PAE_MODE=yes');
      },
    ],
    [
      'pv64-notes',
      ['--unset', 'LOADER', '--placement', 'append'],
      async () => {
        await page.fill('#edit-unset', 'LOADER');
        await page.selectOption('#edit-placement', 'append');
      },
    ],
    [
      'pv64-bare',
      ['--preset', 'pv'],
      async () => {
        await page.selectOption('#edit-preset', 'pv');
      },
    ],
    [
      'packed.gz',
      ['--set', 'GUEST_OS=page'],
      async () => {
        // The preset of the question before is still asked.
        await page.selectOption('#edit-preset', '');
        await page.fill('#edit-set', 'GUEST_OS=page');
      },
    ],
  ];
  it.each(edits)('%s %j: the bytes that the command writes', async (name, options, fill) => {
    const { status, stderr } = command('patch', name, ...options, '-o', 'written');
    await dropFile(page, at(name));
    await fill(page);
    await page.click('#edit button');
    await page.waitForSelector('#edit-answer > *');
    if (status !== 0) {
      expect(stderr).toContain(await page.getAttribute('#edit-answer .box', 'data-problem'));
      return;
    }
    expect((await downloadOf(page, '#edit-answer a')).equals(readFileSync(at('written')))).toBe(true);
  });

  it('fix: one click, and the loader takes it', async () => {
    const bytes = readFileSync(at('pv64-notes'));
    bytes.write('9', bytes.indexOf('xen-3.0\0') + 4, 'latin1');
    writeFileSync(at('misspelt'), bytes);
    await page.goto(`${served.url}#for=xen-pv`);
    await page.reload();
    await dropFile(page, at('misspelt'));
    expect(command('fix', 'misspelt', '--for', 'xen-pv', '-o', 'fixed').status).toBe(0);
    await page.click('#mend');
    await page.waitForSelector('#fix-answer a');
    expect((await downloadOf(page, '#fix-answer a')).equals(readFileSync(at('fixed')))).toBe(true);
    expect(command('verify', 'fixed', '--for', 'xen-pv').status).toBe(0);
  });
});

describe('the first screen', () => {
  it('of a kernel without a note: why, in sentences, with what helps in one click', async () => {
    await page.goto(served.url);
    await page.reload();
    await dropFile(page, at('pvh64-bare'));
    const [verdict] = told('verify', 'pvh64-bare', '--for', 'qemu-pvh').loaders.filter(
      ({ row }: { row: string }) => row === 'qemu-pvh',
    );
    const shown = await page.innerText('#answer');
    expect(shown).toContain('No: QEMU -kernel does not start it');
    expect(shown).toContain(verdict.message);
    expect(shown).toContain(`The reason: ${verdict.reason}.`);
    expect(shown).toContain(`What to do: ${verdict.advice}`);
    await page.click('#mend');
    await page.waitForSelector('#fix-answer a');
    writeFileSync(at('said'), await downloadOf(page, '#fix-answer a'));
    expect(command('patch', 'pvh64-bare', '--preset', 'pvh', '-o', 'preset').status).toBe(0);
    expect(readFileSync(at('said')).equals(readFileSync(at('preset')))).toBe(true);
    expect(command('verify', 'said', '--for', 'qemu-pvh').status).toBe(0);
    await page.click('#fix-answer button:text("Look at the result")');
    await page.waitForSelector('#answer h2:text("Yes: QEMU -kernel starts it")');
  });

  it('the word explain is a link that asks', async () => {
    writeFileSync(at('none'), elf({ bits: 64, endian: 'little' }).load(0x100000n, new Uint8Array(64)).build());
    await dropFile(page, at('none'));
    await page.selectOption('#for', 'xen-pvh');
    await page.click('#answer a:text("what pvh means")');
    await page.waitForSelector('#ask-answer pre');
    expect(await page.textContent('#ask-answer pre')).toBe(command('explain', 'pvh').stdout);
  });

  it('a message is a link to what it means', async () => {
    await dropFile(page, at('pvh64-bare'));
    await page.selectOption('#for', 'qemu-pvh');
    await page.click('#answer a:text("What this message means")');
    await page.waitForSelector('#ask-answer pre');
    expect(await page.textContent('#ask-answer pre')).toContain('PHYS32_ENTRY');
  });
});

describe('other rules', () => {
  it('memory of the guest: verdicts are those of verify --memory, and a link carries it', async () => {
    const own = await served.page();
    await own.goto(`${served.url}#memory=1M`);
    await dropFile(own, at('pvh64-notes'));
    expect(await documentOf(own, 'verify')).toEqual(told('verify', 'pvh64-notes', '--memory', '1M'));
    await own.fill('#memory', '512M');
    await own.press('#memory', 'Tab');
    await own.waitForSelector('body:not([aria-busy]) #answer');
    expect(await documentOf(own, 'verify')).toEqual(told('verify', 'pvh64-notes', '--memory', '512M'));
    expect(own.url()).toContain('memory=512M');
    await own.fill('#memory', 'much');
    await own.press('#memory', 'Tab');
    await own.waitForSelector('#trouble .box');
    expect(await own.getAttribute('#trouble .box', 'data-problem')).toBe('usage.bad');
    await own.close();
  });

  it('every loader by release: what verify says of the newest of each stretch', async () => {
    await dropFile(page, at('pv64-notes'));
    await page.waitForSelector('#releases table', { state: 'attached' });
    await page.click('#releases summary');
    const rows = await page.locator('#releases tbody tr').allInnerTexts();
    const loaders = new Set(rows.map((row) => row.split('\t')[0]));
    expect([...loaders]).toEqual(told('verify', 'pv64-notes').loaders.map(({ row }: { row: string }) => row));
    const asked = rows.filter((row) => row.startsWith('xen-pv\t') || row.startsWith('xen-dom0-pv\t'));
    expect(asked.length).toBeGreaterThan(1);
    for (const row of asked) {
      const [loader, span = '', word] = row.split('\t');
      const release = span.split(' ').at(-1);
      const [verdict] = told('verify', 'pv64-notes', '--for', `${loader}@${release}`).loaders.filter(
        (each: { row: string }) => each.row === loader,
      );
      expect(word).toBe(
        { accepted: 'starts it', 'with-warnings': 'starts it, but', refused: 'refuses it' }[String(verdict.outcome)],
      );
    }
  });
});

describe('the page', () => {
  it('explains what the command explains; a link asks it', async () => {
    const message = 'Error loading uncompressed kernel without PVH ELF Note';
    const own = await served.page();
    await own.goto(`${served.url}#ask=${encodeURIComponent(message)}`);
    await own.waitForSelector('#ask-answer pre');
    expect(await own.textContent('#ask-answer pre')).toBe(command('explain', message).stdout);
    await own.close();
  });

  it('has no fault that axe finds, and is no wider than the screen, in light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const own = await served.page({ colorScheme });
      await own.goto(served.url);
      await dropFile(own, at('pvh64-bare'));
      expect(await axeFaults(own)).toEqual([]);
      for (const width of [390, 800, 1400]) {
        await own.setViewportSize({ width, height: 900 });
        expect(await own.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
      await own.close();
    }
  });

  it('the map is gone through by keys, and searched', async () => {
    await dropFile(page, at('pvh64-notes'));
    await page.focus('#map .box.file');
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.innerText('#map .facts')).toContain('PT_LOAD 0');
    await page.keyboard.press('ArrowRight');
    expect(await page.innerText('#map .facts')).toContain('address 0x');
    await page.fill('#map-search', 'PHYS32');
    await page.click('.hits button');
    expect(await page.innerText('#map .marked')).toContain('PHYS32_ENTRY');
    await page.fill('#map-search', '0x100010');
    await page.keyboard.press('Enter');
    expect(await page.innerText('#map .facts')).toContain('0x100010');
  });

  it('on paper everything is open, and nothing that only a screen can use is there', async () => {
    await dropFile(page, at('pvh64-notes'));
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('#loaders details:not([open])').count()).toBe(0);
    expect(await page.locator('#loaders dl').first().isVisible()).toBe(true);
    for (const gone of ['#drop', '#ask', '#map .tools']) expect(await page.locator(gone).isVisible()).toBe(false);
    await page.emulateMedia({ media: 'screen' });
  });

  it('works with the network off once it is loaded, the unpackers included', async () => {
    const own = await served.page();
    await own.goto(served.url);
    await own.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
    await own.context().setOffline(true);
    await own.reload();
    await dropFile(own, at('packed.gz'));
    expect(await own.innerText('#image')).toContain('Looked through');
    await own.close();
  });

  it('weighs at most 500 KB before the unpackers, and asks nobody else', async () => {
    const asked: string[] = [];
    const own = await served.page();
    own.on('request', (request) => asked.push(request.url()));
    await own.goto(served.url);
    await dropFile(own, at('pvh64-bare'));
    expect(asked.filter((url) => !url.startsWith(served.url) && !url.startsWith('data:'))).toEqual([]);
    const weight = ['index.html', 'page.css', 'app.js', 'worker.js', 'service-worker.js'].reduce(
      (sum, name) => sum + gzipSync(readFileSync(resolve('dist/web', name))).length,
      0,
    );
    expect(weight).toBeLessThan(500_000);
    await own.close();
  });

  it('a 600 MB file costs what its headers cost', async () => {
    // As a vmlinux with debug information is: nearly all of it is in sections that no loader reads.
    const big = at('big');
    const [offset, end] = [0x10000n, 600_000_000n];
    const builder = elf({ bits: 64, endian: 'little' }).load(0x100000n, new Uint8Array(64).fill(1));
    writeFileSync(big, builder.section('.debug_info', { offset, size: end - offset }).build());
    const fd = openSync(big, 'r+');
    ftruncateSync(fd, Number(end));
    closeSync(fd);
    // A browser of its own: what its page ever held is the page's alone.
    const others = renderers();
    const { browser, url } = served;
    const fresh = await browser
      .browserType()
      .launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
    const own = await fresh.newPage();
    own.setDefaultTimeout(90_000);
    await own.goto(url);
    const held = () => Math.max(...[...renderers()].flatMap(([pid, size]) => (others.has(pid) ? [] : [size])));
    const before = held();
    await dropFile(own, big);
    expect(await own.innerText('#image')).toContain('572 MiB');
    const cost = held() - before;
    console.log(
      `a 600 MB file: ${Math.round(cost / 1e6)} MB above the ${Math.round(before / 1e6)} MB of a browser with the empty page`,
    );
    expect(cost).toBeLessThan(200_000_000);
    await fresh.close();
  });
});

/** The processes of browsers that draw pages and run their workers, each with the most that it ever held, in bytes. */
function renderers(): ReadonlyMap<string, number> {
  const found = readdirSync('/proc').flatMap((pid): (readonly [string, number])[] => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer')) return [];
      const [, size] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
      return size === undefined ? [] : [[pid, Number(size) << 10]];
    } catch {
      // A process that ended, or none.
      return [];
    }
  });
  return new Map(found);
}
