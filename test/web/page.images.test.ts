/** Kernels of distributions, dropped on the page: equal to what the command says and writes. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documentOf, downloadOf, dropFile, type Served, servePage } from '../support/browser.js';
import { runCli, workFolder } from '../support/cli.js';
import { realImage } from '../support/images.js';

const folder = workFolder();
let served: Served;
let page: Page;
beforeAll(async () => {
  served = await servePage();
  page = await served.page();
  await page.goto(served.url);
});
afterAll(async () => {
  await served?.close();
  folder.remove();
});

const told = (path: string, command: string) =>
  JSON.parse(runCli([command, basename(path), '--json'], { cwd: dirname(path) }).stdout);

it.each(['vmlinuz', 'vmlinux', 'xen-efi'])('%s: notes and verdicts are those of the command', async (name) => {
  const { path } = realImage(name);
  await dropFile(page, path);
  expect(await documentOf(page, 'notes')).toEqual(told(path, 'notes'));
  expect(await documentOf(page, 'verify')).toEqual(told(path, 'verify'));
});

it('vmlinux: the patched file is the one that the command writes', async () => {
  const { path } = realImage('vmlinux-686-pae');
  await dropFile(page, path);
  await page.fill('#edit-set', 'GUEST_OS=page');
  await page.click('#edit button');
  await page.waitForSelector('#edit-answer > *');
  const written = join(folder.path, 'written');
  expect(runCli(['patch', path, '--set', 'GUEST_OS=page', '-o', written]).status).toBe(0);
  expect((await downloadOf(page, '#edit-answer a')).equals(readFileSync(written))).toBe(true);
});

it('vmlinuz: the first screen says what QEMU does, and one click makes what fix makes', async () => {
  const { path } = realImage('vmlinuz');
  await page.goto(served.url);
  await page.reload();
  await dropFile(page, path);
  expect(await page.innerText('#answer')).toContain('Loaded as a Linux boot image');
  expect(await page.innerText('#answer')).toContain('As it is, it is started by: Xen P');
  await page.click('#mend');
  await page.waitForSelector('#fix-answer a');
  const written = join(folder.path, 'taken-out');
  expect(runCli(['fix', path, '--for', 'qemu-pvh', '-o', written]).status).toBe(0);
  expect((await downloadOf(page, '#fix-answer a')).equals(readFileSync(written))).toBe(true);
});

it('xen.efi: GRUB does not start it, and one click lays it out as linearize does', async () => {
  const { path } = realImage('xen-efi');
  await page.goto(served.url);
  await page.reload();
  await dropFile(page, path);
  expect(await page.innerText('#answer')).toContain('No: GRUB does not start it');
  expect(await page.innerText('#answer')).toContain('no load addresses');
  await page.click('#mend');
  await page.waitForSelector('#fix-answer a');
  const written = join(folder.path, 'linear.efi');
  expect(runCli(['fix', path, '--for', 'grub-multiboot2', '-o', written]).status).toBe(0);
  expect((await downloadOf(page, '#fix-answer a')).equals(readFileSync(written))).toBe(true);
});

it('layout --html of a vmlinux has at most 400 KB and works from a file', async () => {
  const { path } = realImage('vmlinux');
  const file = join(folder.path, 'map.html');
  expect(runCli(['layout', path, '--html', file]).status).toBe(0);
  expect(readFileSync(file).length).toBeLessThan(400_000);
  const own = await served.page();
  await own.goto(`file://${file}`);
  expect(await own.innerText('#notes')).toContain('PHYS32_ENTRY');
  expect(await own.locator('.verdict').count()).toBeGreaterThan(10);
});
