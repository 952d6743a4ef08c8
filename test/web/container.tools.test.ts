/**
 * Kernels in a wrapper on the page of `make web`: every way of `--payload` writes what the command writes, every packing is
 * looked through or refused by its id, and long work can be stopped.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentOf, downloadOf, dropFile, type Served, servePage } from '../support/browser.js';
import { bzImage, relocationTail, type TestFormat } from '../support/bzimage.js';
import { runCli, workFolder } from '../support/cli.js';

const folder = workFolder();
let served: Served;
let page: Page;
const at = (name: string) => join(folder.path, name);
const command = (...args: string[]) => runCli(args, { cwd: folder.path });
const told = (...args: string[]) => JSON.parse(command(...args, '--json').stdout);

const kernel = readFileSync('fixtures/bin/pvh64-notes');
const data = Buffer.concat([kernel, relocationTail()]);

beforeAll(async () => {
  copyFileSync('fixtures/bin/pvh64-notes', at('bare'));
  writeFileSync(at('vmlinuz'), bzImage({ data, pe: 'new' }));
  writeFileSync(at('signed'), bzImage({ data, pe: 'new', certificate: 64 }));
  writeFileSync(at('kernel.gz'), gzipSync(kernel));
  expect(command('patch', 'vmlinuz', '--set', 'GUEST_OS=first', '-o', 'attached').status).toBe(0);
  served = await servePage();
  page = await served.page();
  await page.goto(served.url);
});
afterAll(async () => {
  await served?.close();
  folder.remove();
});

describe('the ways of --payload', () => {
  const SET = ['--set', 'GUEST_OS=page'];
  const ways: readonly [file: string, args: string[], way: string, boxes: string[]][] = [
    ['vmlinuz', SET, '', []],
    ['vmlinuz', [...SET, '--payload', 'extract'], 'extract', []],
    ['vmlinuz', [...SET, '--payload', 'extract', '--keep-tail'], 'extract', ['#edit-tail']],
    ['vmlinuz', ['--payload', 'extract', '--compressor', 'gzip'], 'extract', ['#edit-gzip']],
    ['vmlinuz', [...SET, '--payload', 'detach'], 'detach', []],
    ['attached', ['--payload', 'detach'], 'detach', []],
    ['attached', SET, '', []],
    ['signed', SET, '', []],
    ['signed', [...SET, '--strip-signature'], '', ['#edit-strip']],
    ['kernel.gz', SET, '', []],
    ['kernel.gz', [...SET, '--payload', 'extract'], 'extract', []],
  ];
  it.each(ways)('%s %j: what the command writes, or its refusal', async (file, args, way, boxes) => {
    const { status } = command('patch', file, ...args, '-o', 'written', '--json');
    await dropFile(page, at(file));
    if (args.includes('--set')) await page.fill('#edit-set', 'GUEST_OS=page');
    await page.selectOption('#edit-way', way);
    for (const box of boxes) await page.check(box);
    await page.click('#edit form button');
    await page.waitForSelector('body:not([aria-busy]) #edit-answer > *');
    if (status === 0) {
      expect((await downloadOf(page, '#edit-answer a')).equals(readFileSync(at('written')))).toBe(true);
    } else {
      const [error] = told('patch', file, ...args, '-o', 'written').errors;
      expect(await page.getAttribute('#edit-answer .box', 'data-problem')).toBe(error.id);
    }
  });

  it('replace packs by a program, which a browser has not: told by its id, with what to do', async () => {
    await dropFile(page, at('vmlinuz'));
    await page.fill('#edit-set', 'GUEST_OS=page');
    await page.selectOption('#edit-way', 'replace');
    await page.click('#edit form button');
    await page.waitForSelector('#edit-answer .box');
    expect(await page.getAttribute('#edit-answer .box', 'data-problem')).toBe('codec.missing');
    expect(await page.innerText('#edit-answer .box')).toContain('take the command xen-elfpatch');
  });
});

describe('packings', () => {
  const formats: readonly TestFormat[] = ['gzip', 'xz', 'zstd', 'lz4', 'lzma', 'bzip2', 'stored'];
  it.each(formats)('%s: notes and verdicts are those of the command', async (format) => {
    writeFileSync(at(format), bzImage({ data, format, pe: 'new' }));
    await dropFile(page, at(format));
    expect(await documentOf(page, 'notes')).toEqual(told('notes', format));
    expect(await documentOf(page, 'verify')).toEqual(told('verify', format));
  });

  it('lzo cannot be looked through: told by its id, with what to do', async () => {
    writeFileSync(at('lzo'), bzImage({ data, format: 'lzo', pe: 'new' }));
    await dropFile(page, at('lzo'));
    expect(await page.getAttribute('#trouble .box', 'data-problem')).toBe('codec.missing');
    expect(await page.innerText('#trouble .box')).toContain('lzop');
    expect(await page.innerText('#trouble .box')).toContain('take the command xen-elfpatch');
  });
});

describe('comparing', () => {
  it('another file, and a result with what it was made of: what diff says', async () => {
    await dropFile(page, at('bare'));
    await page.setInputFiles('#second', at('vmlinuz'));
    await page.waitForSelector('#comparison #compare');
    expect(await page.innerText('#comparison #compare')).toContain(
      told('diff', 'bare', 'vmlinuz').same ? 'the same' : 'iffers',
    );
    await page.fill('#edit-set', 'GUEST_OS=page');
    await page.click('#edit form button');
    await page.click('#edit-answer button:text("What differs")');
    await page.waitForSelector('body:not([aria-busy]) #comparison #compare :text("GUEST_OS")');
    expect(await page.innerText('#comparison #compare')).toContain('Nothing but notes and headers differs.');
  });
});

describe('long work', () => {
  /** Keeps the worker from hearing what is asked: the work is as long as the test needs it, on any machine. */
  const HOLD = 'Worker.prototype.held = Worker.prototype.postMessage; Worker.prototype.postMessage = () => undefined';
  const LET_GO = 'Worker.prototype.postMessage = Worker.prototype.held';

  it('is stopped by a button, and another file can be asked about', async () => {
    const own = await served.page();
    await own.goto(served.url);
    await own.evaluate(HOLD);
    await own.setInputFiles('#file', at('kernel.gz'));
    expect(await own.innerText('#progress')).toContain('reading kernel.gz');
    await own.click('#stop');
    await own.waitForSelector('#progress:text("Stopped.")');
    expect(await own.locator('#answer').count()).toBe(0);
    await own.evaluate(LET_GO);
    await dropFile(own, at('bare'));
    expect(await documentOf(own, 'notes')).toEqual(told('notes', 'bare'));
    await own.close();
  });

  it('that is stopped leaves the open file open', async () => {
    const own = await served.page();
    await own.goto(served.url);
    await dropFile(own, at('bare'));
    await own.evaluate(HOLD);
    await own.fill('#edit-set', 'GUEST_OS=page');
    await own.click('#edit form button');
    await own.click('#stop');
    await own.waitForSelector('#progress:text("Stopped.")');
    await own.evaluate(LET_GO);
    await own.click('#edit form button');
    expect(command('patch', 'bare', '--set', 'GUEST_OS=page', '-o', 'again').status).toBe(0);
    await own.waitForSelector('#edit-answer a');
    expect((await downloadOf(own, '#edit-answer a')).equals(readFileSync(at('again')))).toBe(true);
    await own.close();
  });
});
