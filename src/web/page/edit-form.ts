/** The form that sets notes: a preset, values, a placement; it asks for a plan, shows it, and hands out the proved result. */

import type { ImageData } from '../work/page-data.js';
import type { EditWish } from '../work/wish.js';
import { h, section } from './dom.js';

const PRESETS = ['', 'pvh', 'pv', 'pv32', 'pv+pvh', 'pvh+dom0', 'pv+dom0', 'pv+pvh+dom0'];
const PLACEMENTS = ['auto', 'in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load', 'new-table'];

/** What can be done to the payload, by the kind of the wrapper; the first is what the command does unasked. */
const WAYS: Readonly<
  Record<'bzimage' | 'gzip' | 'stream', readonly (readonly [way: EditWish['way'], words: string])[]>
> = {
  bzimage: [
    ['', 'attach: a second payload for Xen; the kernel still boots by itself'],
    ['extract', 'extract: the ELF alone'],
    ['detach', 'detach: take off what was attached'],
    ['replace', "replace: pack the payload anew, by the host's program: on a command line alone"],
  ],
  gzip: [
    ['', 'keep it a gzip file'],
    ['extract', 'extract: the ELF alone'],
  ],
  stream: [['extract', 'extract: the ELF alone']],
};

/**
 * The form; `plan` is called with what it says, and puts its answer into the element it gets. `home`: the payload of a file
 * that wraps its kernel can be treated in several ways.
 */
export function editForm(
  preset: string,
  home: ImageData['home'],
  plan: (wish: EditWish, answer: HTMLElement) => void,
): HTMLElement {
  const answer = h('div', { role: 'status', class: 'result', id: 'edit-answer' });
  const options = (names: readonly string[], chosen: string) =>
    names.map((name) => h('option', { value: name, selected: name === chosen }, name === '' ? 'none' : name));
  const presets = h('select', { id: 'edit-preset' }, ...options(PRESETS, preset));
  const placements = h('select', { id: 'edit-placement' }, ...options(PLACEMENTS, 'auto'));
  const set = h('textarea', { id: 'edit-set', spellcheck: 'false', placeholder: 'PHYS32_ENTRY=phys:pvh_start_xen' });
  const unset = h('input', {
    id: 'edit-unset',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'LOADER PAE_MODE',
  });
  const clear = h('input', { id: 'edit-clear', type: 'checkbox' });
  const known = home === 'elf' || home === 'pe' ? [] : WAYS[home];
  const box = (id: string) => h('input', { id, type: 'checkbox' });
  const [gzip, strip, keepTail] = [box('edit-gzip'), box('edit-strip'), box('edit-tail')];
  const ways = h('select', { id: 'edit-way' }, ...known.map(([value, words]) => h('option', { value }, words)));
  const lines = (text: string, by: RegExp) =>
    text
      .split(by)
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const wish = (): EditWish => ({
    clear: clear.checked,
    preset: presets.value,
    set: lines(set.value, /\n/),
    unset: lines(unset.value, /\s+/),
    placement: placements.value,
    way: WAYS.bzimage.find(([way]) => way === ways.value)?.[0] ?? '',
    gzip: gzip.checked,
    stripSignature: strip.checked,
    keepTail: keepTail.checked,
  });
  const field = (id: string, label: string, control: HTMLElement) =>
    h('div', {}, h('label', { for: id }, label), control);
  const check = (control: HTMLElement, label: string) =>
    h('p', {}, control, ' ', h('label', { for: control.id }, label));
  const form = h(
    'form',
    {
      submit: (event) => {
        event.preventDefault();
        plan(wish(), answer);
      },
    },
    h(
      'div',
      { class: 'fields' },
      field('edit-preset', 'Preset: what the image itself tells', presets),
      field('edit-placement', 'Placement: where the notes go', placements),
      field('edit-unset', 'Notes to remove', unset),
    ),
    h('div', {}, h('label', { for: 'edit-set' }, 'Notes to set, NAME=VALUE, one a line'), set),
    check(clear, 'drop every Xen note first'),
    ...(known.length === 0
      ? []
      : [
          h('div', { class: 'fields' }, field('edit-way', 'Payload: how it gets into the file', ways)),
          check(strip, 'take a Secure Boot signature off: it would no longer match'),
          check(gzip, 'extract: as gzip, which xl takes'),
          check(keepTail, 'extract: keep what stands behind the ELF'),
        ]),
    h('button', {}, 'Plan it, make it and verify it'),
  );
  return section('edit', 'Set notes yourself', form, answer);
}
