import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../../src/base/errors/problems.js';

describe('PROBLEMS', () => {
  it('holds every declared id once: tables that are spread together would hide a second one', () => {
    const folder = new URL('../../../src/base/errors/problems/', import.meta.url);
    const declared = readdirSync(folder).flatMap((file) =>
      [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^ {2}'([a-z0-9-]+\.[a-z0-9-]+)':/gm)].map(
        ([, id]) => id,
      ),
    );
    expect(declared.length).toBeGreaterThan(50);
    expect([...declared].sort()).toEqual(Object.keys(PROBLEMS).sort());
  });
});
