/** What tests of `patch` ask of its results: the notes that Xen finds, and that nothing was left behind. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { noteName } from '../../src/formats/note/xen-notes.js';
import { walkAsXen } from '../../src/loaders/read/loader-walks.js';
import { BIN, type CliOptions, type CliResult, runCli } from './cli.js';
import { fixture } from './fixtures.js';

/** An image file, read whole. */
export function readImage(path: string): ElfImage {
  return readElf(new BufferSource(readFileSync(path), path));
}

/** Xen's notes in the order in which it meets them, descriptors as hexadecimal digits; through PT_NOTEs only. */
export function xenNotes(path: string): [name: string, desc: string][] {
  const { from, notes } = walkAsXen(readImage(path));
  if (from !== 'segments') return [];
  return notes.map(({ record }) => [noteName(record.type), Buffer.from(record.desc).toString('hex')]);
}

/** A folder that a test has for itself. */
export class Bench {
  readonly path = mkdtempSync(join(tmpdir(), 'patch-test-'));

  /** The path of a name in the folder. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** A writable copy of a fixture. */
  copy(name: string, as = name): string {
    const path = this.at(as);
    copyFileSync(fixture(name), path);
    chmodSync(path, 0o644);
    return path;
  }

  /** Names in the folder, sorted, hidden ones too. */
  get names(): string[] {
    return readdirSync(this.path).sort();
  }

  /** Runs the command in the folder, so that names need no path. */
  run(args: readonly string[], options: CliOptions = {}): CliResult {
    return runCli(args, { cwd: this.path, ...options });
  }

  /** Runs a line of bash in the folder; `$NODE` and `$BIN` are the command. */
  shell(line: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    return spawnSync('bash', ['-c', line], {
      cwd: this.path,
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, BIN },
    });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** One located line and perhaps a hint: what a person gets for bad input. Warnings may stand in front. */
export function expectError(run: CliResult, id: string, text: RegExp = /./): void {
  const lines = run.stderr.split('\n').filter((line) => line !== '' && !/^xen-elfpatch: warning: /.test(line));
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect(lines.length, run.stderr).toBeLessThanOrEqual(2);
  expect(lines[0]).toMatch(/^xen-elfpatch: .* \[[a-z0-9]+\.[a-z0-9-]+\]$/);
  expect(lines[0]).toContain(`[${id}]`);
  expect(lines[0]).toMatch(text);
  if (lines[1] !== undefined) expect(lines[1]).toMatch(/^ {2}hint: /);
  expect(run.status, run.stderr).toBe(2);
}
