// The manual as pages, made of the declarations that the parser, --help and explain are made of.
import {
  blocks,
  bold,
  example,
  head,
  italic,
  item,
  line,
  literal,
  paragraph,
  section,
  subsection,
  synopsis,
} from './roff.mjs';

const MANUAL = 'User Commands';

const STATUS = [
  ['0', 'Done, or the answer is yes.'],
  ['1', 'The answer is no: a check failed, images differ, --check found work to do. Nothing was written.'],
  ['2', 'It could not be done: bad usage, malformed input, refused edit, I/O error. Nothing was written.'],
  ['3', 'The result is written and right, but standard output did not take the report.'],
];

const ENVIRONMENT = [
  ['NO_COLOR', 'Anything but nothing: no colours, unless --color=always asks for them.'],
  ['COLUMNS', 'How wide a map or a text is drawn where no terminal tells.'],
  ['SOURCE_DATE_EPOCH', 'The date of the build, for stamp --date.'],
  [
    'XEN_ELFPATCH_CODE_CACHE',
    'A folder for compiled code of the command, in place of ~/.cache/xen-elfpatch/code; empty: none.',
  ],
  ['XEN_ELFPATCH_DEBUG', 'Anything but nothing: a stack trace behind an error.'],
];

const statusOf = () => section('EXIT STATUS') + STATUS.map(([status, text]) => item(bold(status), text)).join('');

/** `xen-elfpatch(1)` and the like, with commas between. */
function seeAlso(names) {
  const words = names.map(
    ([name, number], i) => `.BR ${literal(name)} (${number})${i < names.length - 1 ? ' ,' : ''}\n`,
  );
  return section('SEE ALSO') + words.join('');
}

/** The page of the command as a whole. */
export function overviewPage({ commands, common, about, info }) {
  const list = commands.map(({ shape }) =>
    item(`${bold(shape.name)} ${synopsis(shape.synopsis)}`, `${capital(shape.summary)}.`),
  );
  return [
    head({
      name: 'xen-elfpatch',
      section: 1,
      manual: MANUAL,
      about: 'give a linked ELF kernel the right Xen notes',
      ...info,
    }),
    section('SYNOPSIS'),
    line(`${bold('xen-elfpatch')} ${italic('COMMAND')} [options]`),
    '.br\n',
    line(`${bold('xen-elfpatch help')} [${italic('COMMAND')}]`),
    section('DESCRIPTION'),
    paragraph(about),
    paragraph(
      'A kernel that is to start under Xen, or as a PVH guest of QEMU, Firecracker or Cloud Hypervisor, has to carry a few ELF notes ' +
        'that say where to enter it and what it can do. xen-elfpatch reads the linked image, works out the notes, finds a place for ' +
        'them that disturbs nothing, writes the few bytes that change, and reads the result back before it replaces anything.',
    ),
    paragraph('Each command has a page of its own: xen-elfpatch-patch(1) and so on.'),
    section('COMMANDS'),
    ...list,
    section('OPTIONS'),
    ...common.map(optionItem),
    statusOf(),
    section('ENVIRONMENT'),
    ...ENVIRONMENT.map(([name, text]) => item(bold(name), text)),
    section('EXAMPLES'),
    ...examplesOf([
      ['xen-elfpatch notes vmlinux', 'what a kernel tells Xen'],
      ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh', 'make it start in a PVH guest'],
      ['xen-elfpatch verify kernel.pvh --for qemu-pvh', 'would it?'],
      ['xen-elfpatch explain PHYS32_ENTRY', 'what that note means'],
    ]),
    seeAlso([
      ...commands.map(({ shape }) => [`xen-elfpatch-${shape.name}`, 1]),
      ['xen-mkelf32', 1],
      ['xen-elfpatch-notes', 7],
      ['readelf', 1],
      ['objcopy', 1],
      ['xl.cfg', 5],
    ]),
  ].join('');
}

/** The page of one command. */
export function commandPage({ shape, common, info }) {
  const options = [...Object.entries(shape.options).map(([name, option]) => ({ name, ...option }))];
  const groups = [...new Set(options.map(({ group }) => group))];
  const name = `xen-elfpatch-${shape.name}`;
  return [
    head({ name, section: 1, manual: MANUAL, about: shape.summary, ...info }),
    section('SYNOPSIS'),
    line(`${bold(`xen-elfpatch ${shape.name}`)} ${synopsis(shape.synopsis)}`),
    section('DESCRIPTION'),
    paragraph(shape.about),
    section('OPTIONS'),
    ...groups.flatMap((group) => [
      group === undefined
        ? groups.length > 1
          ? subsection('Other options')
          : ''
        : subsection(group.replace(/:$/, '')),
      ...options.filter((option) => option.group === group).map(optionItem),
    ]),
    groups.includes(undefined) || groups.length === 0 ? '' : subsection('Other options'),
    ...common.map(optionItem),
    statusOf(),
    section('EXAMPLES'),
    ...examplesOf(shape.examples),
    seeAlso([
      ['xen-elfpatch', 1],
      ['xen-elfpatch-notes', 7],
    ]),
  ].join('');
}

/** The page of the drop-in for Xen's build tool. */
export function mkelf32Page(info) {
  return [
    head({
      name: 'xen-mkelf32',
      section: 1,
      manual: MANUAL,
      about: "wrap xen-syms as the last step of Xen's build does",
      ...info,
    }),
    section('SYNOPSIS'),
    line(`${bold('xen-mkelf32')} [${bold('--notes')}] ${['IN-IMAGE', 'OUT-IMAGE', 'LOAD-BASE'].map(italic).join(' ')}`),
    section('DESCRIPTION'),
    paragraph(
      "Takes the arguments of Xen's own tool mkelf32 in its newest release, writes the same bytes and prints the same messages: a 32-bit " +
        'ELF around the contents of a linked hypervisor, as boot loaders take it. Where the original runs without end or overwrites ' +
        'its input, this one ends with an error.',
    ),
    paragraph('Other releases, and what the original cannot do, are options of xen-elfpatch-mkelf32(1).'),
    section('OPTIONS'),
    item(bold('--notes'), 'As the first word: the notes of the input get a PT_NOTE in the output.'),
    item(
      italic('LOAD-BASE'),
      'The physical address at which the image is loaded, as strtoul(3) reads it with base 16.',
    ),
    section('EXIT STATUS'),
    item(bold('0'), 'The output is written. Nothing is printed.'),
    item(bold('1'), 'It is not; why stands on standard error.'),
    section('EXAMPLES'),
    ...examplesOf([['xen-mkelf32 --notes xen-syms xen 0x200000', "in place of Xen's own tool"]]),
    seeAlso([['xen-elfpatch-mkelf32', 1]]),
  ].join('');
}

/** Every note that Xen knows, as explain has it. */
export function notesPage({ notes, values, info }) {
  return [
    head({
      name: 'xen-elfpatch-notes',
      section: 7,
      manual: 'Miscellaneous',
      about: 'the ELF notes that Xen and PVH loaders read',
      ...info,
    }),
    section('DESCRIPTION'),
    paragraph(
      'A note is a record in a PT_NOTE segment: an owner, a type, and a descriptor. Those of the owner Xen tell a hypervisor where to ' +
        'enter a kernel and what it can do. Below, each by the name that xen-elfpatch-patch(1) takes; xen-elfpatch explain NAME prints the same.',
    ),
    ...notes.flatMap(({ json }) => [section(json.title), blocks(json.blocks)]),
    section('VALUES'),
    blocks(values.json.blocks),
    seeAlso([
      ['xen-elfpatch', 1],
      ['xen-elfpatch-patch', 1],
      ['xen-elfpatch-explain', 1],
      ['elf', 5],
    ]),
  ].join('');
}

function optionItem({ name, alias, kind, metavar, choices, help, default: preset }) {
  const value = kind === 'flag' ? '' : ` ${italic(metavar ?? (kind === 'choice' ? 'WORD' : 'VALUE'))}`;
  const letter = alias === undefined ? '' : `${bold(`-${alias}`)}, `;
  const listed =
    choices !== undefined && !choices.every((choice) => help.includes(choice))
      ? ` Choices: ${choices.join(', ')}.`
      : '';
  const unless = preset === undefined ? '' : ` Unless given: ${preset}.`;
  return item(`${letter}${bold(`--${name}`)}${value}`, `${capital(help, choices)}.${listed}${unless}`);
}

function examplesOf(examples) {
  return examples.map(([command, what]) => `${paragraph(`${capital(what)}:`)}${example([`$ ${command}`])}`);
}

/** A first word that is said to be typed stays as it is. */
function capital(text, typed = []) {
  const [first = ''] = text.split(/[ ,]/);
  if (typed.includes(first) || /[\d,:+]/.test(text.split(' ')[0] ?? '')) return text;
  return text.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
