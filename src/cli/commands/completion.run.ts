/** `completion`: the declared commands and options as a script of a shell. */
import yargs from 'yargs';
import { topicNames } from '../../explain/index.js';
import { LOADER_NAMES } from '../../loaders/names.js';
import { XEN_VERSIONS } from '../../loaders/xen-version.js';
import { XEN_NOTES } from '../../note/xen-notes.js';
import type { Command, ExitStatus } from '../command.js';
import { writeOut } from '../output.js';
import { survivorNames } from '../result-options.js';
import type { CompletionArgs } from './completion.js';

interface Words {
  readonly name: string;
  readonly summary: string;
  /** Long options, with their dashes. */
  readonly options: readonly string[];
  /** Values of options that have a choice. */
  readonly choices: readonly (readonly [option: string, values: readonly string[]])[];
  /** What its words may be; empty: files. */
  readonly operands: readonly string[];
}

/** Runs the command. */
export async function runCompletion({ shell }: CompletionArgs, commands: readonly Command[]): Promise<ExitStatus> {
  const words = commands.map(wordsOf);
  writeOut(shell === 'bash' ? bash(words) : zsh(words));
  return 0;
}

/** Values of options that are no choices of yargs', because they come in lists or in several spellings. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  for: LOADER_NAMES,
  preset: ['pv', 'pv32', 'pvh', 'pv+pvh'].flatMap((name) => [name, `${name}+dom0`]),
  'must-survive': survivorNames.split(', '),
  'xen-version': XEN_VERSIONS,
  'build-id': ['keep', 'sha1', 'sha256'],
  set: XEN_NOTES.map(({ name }) => `${name}=`),
  note: [],
  unset: XEN_NOTES.map(({ name }) => name),
};

/** What the words of a command are, where they are no files. */
const OPERANDS: Readonly<Record<string, () => readonly string[]>> = {
  explain: topicNames,
  completion: () => ['bash', 'zsh'],
};

function wordsOf(command: Command): Words {
  const { key, choices } = command.options(yargs([]).help(false).version(false)).getOptions();
  const long = Object.keys(key).filter((name) => name.length > 1);
  return {
    name: command.shape.name,
    summary: command.shape.summary,
    options: [...long, 'help', 'version'].map((name) => `--${name}`),
    choices: long.flatMap((name): [string, readonly string[]][] => {
      const listed: unknown = choices?.[name];
      const values = Array.isArray(listed) ? listed.map(String) : valuesOf(command.shape.name, name);
      return values.length > 0 ? [[`--${name}`, values]] : [];
    }),
    operands: OPERANDS[command.shape.name]?.() ?? [],
  };
}

function valuesOf(command: string, option: string): readonly string[] {
  // The --note of stamp is of any owner, that of mkelf32 Xen's.
  if (command === 'mkelf32' && option === 'note') return VALUES['set'] ?? [];
  return VALUES[option] ?? [];
}

/** Something follows the value at once: `PHYS32_ENTRY=`. */
function opens(values: readonly string[]): boolean {
  return values.every((value) => value.endsWith('='));
}

function bash(words: readonly Words[]): string {
  const values = words.flatMap(({ name, choices }) =>
    choices.map(
      ([option, list]) =>
        `    ${name}:${option}) COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$word"));${opens(list) ? ' compopt -o nospace 2>/dev/null;' : ''} return ;;`,
    ),
  );
  const options = words.map(({ name, options: list }) => `    ${name}) list='${list.join(' ')}' ;;`);
  const operands = words.flatMap(({ name, operands: list }) =>
    list.length > 0
      ? [`    ${name}:[!-]*|${name}:) COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$word")); return ;;`]
      : [],
  );
  return `# bash completion for xen-elfpatch
_xen_elfpatch() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} list=''
  COMPREPLY=()
  # Bash makes words of --for=xen-pv: the option, the sign, the value.
  if [ "$word" = = ]; then word=''; elif [ "$before" = = ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${words.map(({ name }) => name).join(' ')} --help --version' -- "$word"))
    return
  fi
  case "$command:$before" in
${values.join('\n')}
  esac
  case "$command" in
${options.join('\n')}
  esac
  case "$command:$word" in
${operands.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$list" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _xen_elfpatch xen-elfpatch
`;
}

function zsh(words: readonly Words[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const names = words.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(' ');
  const options = words.map(({ name, options: list }) => `    ${name}) list=(${list.join(' ')}) ;;`);
  const values = words.flatMap(({ name, choices }) =>
    choices.map(
      ([option, list]) =>
        `    ${name}:${option}) compadd ${opens(list) ? "-S '' " : ''}-- ${list.join(' ')}; return ;;`,
    ),
  );
  const operands = words.flatMap(({ name, operands: list }) =>
    list.length > 0 ? [`      ${name}) compadd -- ${list.join(' ')} ;;`] : [],
  );
  return `#compdef xen-elfpatch
# zsh completion for xen-elfpatch
_xen_elfpatch() {
  local -a commands list
  commands=(${names})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${words[2]}:\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "\${words[2]}" in
${options.join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    compadd -- $list
  else
    case "\${words[2]}" in
${operands.join('\n')}
      *) _files ;;
    esac
  fi
}
if [[ "$funcstack[1]" == _xen_elfpatch || "$funcstack[1]" == _xen-elfpatch ]]; then
  _xen_elfpatch "$@"
else
  compdef _xen_elfpatch xen-elfpatch
fi
`;
}
