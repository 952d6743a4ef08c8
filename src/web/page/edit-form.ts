/** The form that sets notes: a preset, values, a placement; it asks for a plan, shows it, and hands out the proved result. */
import type { EditWish } from '../work/edits.js';
import { h, section } from './dom.js';

const PRESETS = ['', 'pvh', 'pv', 'pv32', 'pv+pvh', 'pvh+dom0', 'pv+dom0', 'pv+pvh+dom0'];
const PLACEMENTS = ['auto', 'in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load', 'new-table'];

/** The form; `plan` is called with what it says, and puts its answer into the element it gets. */
export function editForm(preset: string, plan: (wish: EditWish, answer: HTMLElement) => void): HTMLElement {
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
  });
  const field = (id: string, label: string, control: HTMLElement) =>
    h('div', {}, h('label', { for: id }, label), control);
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
    h('p', {}, clear, ' ', h('label', { for: 'edit-clear' }, 'drop every Xen note first')),
    h('button', {}, 'Plan it, make it and verify it'),
  );
  return section('edit', 'Set notes yourself', form, answer);
}
