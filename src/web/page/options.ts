/** By other rules, against another file, and as data: what else can be asked about the open image. */
import type { DocumentName, Rules } from '../worker/protocol.js';
import { h, section } from './dom.js';

const MEMORY = ['64M', '128M', '256M', '512M', '1G', '2G', '4G', '8G', '16G', '64G'];

/** What the choices do. */
export interface OptionActions {
  judge(rules: Rules): void;
  save(name: DocumentName): void;
  compare(file: File): void;
}

/** The section; `xenVersion` is the release by which the shown verdicts go. */
export function optionsView(
  { xenVersions, xenVersion, memory }: { readonly xenVersions: readonly string[] } & Rules,
  { judge, save, compare }: OptionActions,
): HTMLElement {
  const again = () => judge({ xenVersion: select.value, memory: size.value.trim() });
  const select = h(
    'select',
    { id: 'xen', change: again },
    ...xenVersions.map((version) => h('option', { value: version, selected: version === xenVersion }, version)),
  );
  const size = h('input', {
    id: 'memory',
    list: 'memory-sizes',
    value: memory,
    placeholder: '4G',
    size: 8,
    autocomplete: 'off',
    spellcheck: 'false',
    change: again,
  });
  const sizes = h('datalist', { id: 'memory-sizes' }, ...MEMORY.map((value) => h('option', { value })));
  const button = (name: DocumentName) =>
    h('button', { type: 'button', 'data-document': name, click: () => save(name) }, `${name}.json`);
  const second = h('input', {
    type: 'file',
    id: 'second',
    change: () => {
      const [file] = second.files ?? [];
      if (file !== undefined) compare(file);
    },
  });
  return section(
    'options',
    'By other rules, against another file, and as data',
    h(
      'p',
      { class: 'row' },
      h('label', { for: 'xen' }, 'Release of Xen'),
      select,
      h('label', { for: 'memory' }, 'Memory of the guest or machine'),
      size,
      sizes,
    ),
    h('p', { class: 'row' }, h('label', { for: 'second' }, 'Compare with another file'), second),
    h('div', { id: 'comparison' }),
    h(
      'p',
      { class: 'row' },
      'What the command prints with --json:',
      button('notes'),
      button('verify'),
      button('layout'),
    ),
  );
}
