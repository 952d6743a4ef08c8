/** The picture of a map, looked at by a real browser. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { imageMap } from '../../../src/inspect/map/image-map.js';
import { peMap } from '../../../src/inspect/map/pe-map.js';
import { mapSvg } from '../../../src/inspect/map/svg.js';
import { workFolder } from '../../support/cli.js';
import { fixture, realImage, realImages, requireTools } from '../../support/images.js';

const read = (bytes: Uint8Array, name: string) => readElf(new BufferSource(bytes, name));

describe('mapSvg()', () => {
  it('in a real browser: everything lies inside, no text on another, both color schemes differ', () => {
    requireTools('chromium', 'xz', 'readelf', 'ld');
    const folder = workFolder();
    const pictures = [
      mapSvg(imageMap(read(readFileSync(fixture('pv64-notes')), 'pv64-notes'))),
      mapSvg(
        imageMap(read(readFileSync(fixture('mb1')), 'mb1')),
        imageMap(read(readFileSync(fixture('pvh64-notes')), 'pvh64-notes')),
      ),
      mapSvg(imageMap(read(readFileSync(realImage('vmlinux').path), 'vmlinux'))),
      mapSvg(peMap(readPe(new BufferSource(readFileSync(realImage('xen-efi').path), 'xen.efi')))),
      mapSvg(
        imageMap(read(readFileSync(realImage('xen-syms').path), '/usr/lib/debug/'.repeat(9))),
        imageMap(read(readFileSync(realImage('xen').path), 'xen')),
      ),
      // Every real ELF image: kernels, hypervisors, GRUB as a guest, firmware; and programs with many sections.
      ...realImages().map(({ path, name }) => mapSvg(imageMap(read(readFileSync(path), name)))),
      ...[process.execPath, '/bin/sh', '/usr/bin/xz', '/usr/bin/env', '/usr/bin/readelf', '/usr/bin/ld'].map((path) =>
        mapSvg(imageMap(read(readFileSync(path), path))),
      ),
    ];
    expect(pictures.length).toBeGreaterThanOrEqual(20);
    // The page measures itself and leaves what it finds in its title.
    const script = `
      const found = [];
      for (const svg of document.querySelectorAll('svg')) {
        const all = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll('text')];
        if (texts.length < 10) found.push('nothing drawn');
        const boxes = texts.map((text) => ({ name: text.textContent, box: text.getBoundingClientRect() }));
        for (const { name, box } of boxes) {
          if (box.left < all.left || box.right > all.right || box.top < all.top || box.bottom > all.bottom) found.push('outside: ' + name);
        }
        for (const [i, a] of boxes.entries()) for (const b of boxes.slice(i + 1)) {
          const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
          const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
          if (wide > 1 && high > 4) found.push(a.name + ' over ' + b.name);
        }
      }
      document.title = JSON.stringify({ found, back: getComputedStyle(document.querySelector('.back')).fill });`;
    const page = folder.write(
      'page.html',
      Buffer.from(`<!doctype html><meta charset="utf-8">${pictures.join('\n')}<script>${script}</script>`),
    );
    const look = (scheme: number) => {
      const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder.path, 'profile')}`];
      const { stdout } = spawnSync(
        'chromium',
        [...args, `--blink-settings=preferredColorScheme=${scheme}`, '--dump-dom', `file://${page}`],
        {
          encoding: 'utf8',
          maxBuffer: 1 << 26,
          timeout: 60_000,
        },
      );
      const title = /<title>(\{.*?\})<\/title>/.exec(stdout)?.[1];
      if (title === undefined) throw new Error('the browser did not run the page');
      return JSON.parse(
        title.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
      );
    };
    const [dark, light] = [look(0), look(1)];
    folder.remove();
    expect(light.found).toEqual([]);
    expect(dark.found).toEqual([]);
    expect(light.back).not.toBe(dark.back);
  });
});
