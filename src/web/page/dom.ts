/** Elements of a page. Text from a file comes in as text nodes only: nothing here takes markup. */

type Value = string | number | boolean | undefined | ((event: Event) => void);
/** What an element may hold. */
export type Child = Node | string | undefined;

/** An element with attributes (a function is a listener, `true` an attribute without a value) and children. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A section of the page with a heading. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...children);
}

/** A table that can be scrolled sideways where it is wider than the page. */
export function table(label: string, heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const head = h('thead', {}, h('tr', {}, ...heads.map((text) => h('th', { scope: 'col' }, text))));
  const body = h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell) => h('td', {}, cell ?? '')))));
  const caption = h('caption', {}, label);
  return h(
    'div',
    { class: 'wide', tabindex: 0, role: 'region', 'aria-label': label },
    h('table', {}, caption, head, body),
  );
}

/** Text in the letters of a program, as a file or a loader has it. */
export function code(text: string): HTMLElement {
  return h('code', {}, text);
}

/** The element of an id that the page is known to have. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** On paper nothing can be opened: everything is open there. */
export function openForPrint(): void {
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}
