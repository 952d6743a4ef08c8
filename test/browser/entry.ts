/**
 * What a web page would do with an image: the documents of `notes`, `verify` and `patch`, and the patched bytes. Bundled
 * for a browser by bundle.slow.test.ts and run where nothing of Node is.
 */
import { BufferSource, READ_LIMIT } from '../../src/base/bytes/source.js';
import { expectationOf, planPatch } from '../../src/edit/elf/pipeline.js';
import { preview } from '../../src/edit/elf/render.js';
import { proveCure } from '../../src/edit/fix/cure.js';
import { provePe } from '../../src/edit/fix/pe-advice.js';
import { looksLikeElf, readElf } from '../../src/formats/elf/read.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { isPlainPe } from '../../src/formats/pe/kind.js';
import { readPe } from '../../src/formats/pe/read.js';
import { notesFacts } from '../../src/inspect/notes/notes-facts.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { LOADER_NAMES, PE_LOADER_NAMES } from '../../src/loaders/names.js';
import { NEWEST_XEN } from '../../src/loaders/xen-version.js';
import { jsonDocument } from '../../src/report/json.js';
import { notesJson } from '../../src/report/notes-report.js';
import { patchJson } from '../../src/report/patch-report.js';
import { peFacts, peJson } from '../../src/report/pe-report.js';
import { peVerifyDocument } from '../../src/report/pe-verify-report.js';
import { verifyDocument } from '../../src/report/verify-report.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { verifyPe } from '../../src/verify/pe/verify.js';
import { secondReader } from '../../src/verify/second-reader.js';

/** `notes NAME --json`. */
export function notes(bytes: Uint8Array, name: string): string {
  const source = new BufferSource(bytes, name);
  const image = looksLikeElf(source)
    ? notesJson(notesFacts(readElf(source)), { xen: false, raw: false })
    : peJson(peFacts(readPe(source)));
  return jsonDocument('notes', { images: [image] });
}

/** `verify NAME --json`. */
export async function verify(bytes: Uint8Array, name: string): Promise<string> {
  const source = new BufferSource(bytes, name);
  const isPe = !looksLikeElf(source) && isPlainPe(source);
  const judged = judgeLoaders(source, { xenVersion: NEWEST_XEN, names: isPe ? PE_LOADER_NAMES : LOADER_NAMES });
  const loaders = { image: name, xenVersion: NEWEST_XEN, asked: [], rules: false };
  if (isPe) {
    const findings = verifyPe(readPe(source), undefined);
    const verdicts = provePe(readPe(source), judged, { xenVersion: NEWEST_XEN });
    return peVerifyDocument({ file: name, baseline: undefined, findings, loaders: { ...loaders, verdicts } });
  }
  const image = readElf(source);
  return verifyDocument({
    file: name,
    baseline: undefined,
    findings: verifyImage({ image }),
    secondReader: await secondReader(image),
    loaders: { ...loaders, verdicts: judged.map((verdict) => proveCure(source, verdict, { xenVersion: NEWEST_XEN })) },
  });
}

/** `patch NAME --set SETTING --dry-run --json`, the bytes that would be written, and what is wrong with them. */
export function patch(bytes: Uint8Array, name: string, setting: string) {
  const plan = planPatch(readElf(new BufferSource(bytes, name)), [{ kind: 'set', setting: parseSetting(setting) }]);
  const result = preview(plan.image, plan.rendered);
  const whole = new Uint8Array(Number(result.size));
  for (let at = 0n; at < result.size; at += READ_LIMIT) {
    result.readInto(at, whole.subarray(Number(at), Number(at + READ_LIMIT)), 'result');
  }
  const findings = verifyImage({ image: readElf(result), baseline: plan.image, expectation: expectationOf(plan) });
  return {
    document: jsonDocument('patch', patchJson(plan, { kind: 'planned' })),
    bytes: whole,
    errors: findings.filter(({ level }) => level === 'error').map(({ text }) => text),
  };
}
