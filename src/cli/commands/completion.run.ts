/** `completion`: the declared commands and options as a script of a shell. */
import type { Command, ExitStatus } from '../command.js';
import { COMMON } from '../common-options.js';
import { completionOf } from '../option-table.js';
import { writeOut } from '../output.js';
import type { CompletionArgs } from './completion.js';
import { fishScript } from './completion-fish.js';

interface Words {
  readonly name: string;
  readonly summary: string;
  /** Long options, with their dashes. */
  readonly options: readonly string[];
  /** Values of options whose values are known words. */
  readonly choices: readonly (readonly [option: string, values: readonly string[]])[];
  /** What its words may be; empty: files. */
  readonly operands: readonly string[];
}

/** Runs the command. */
export async function runCompletion({ shell }: CompletionArgs, commands: readonly Command[]): Promise<ExitStatus> {
  if (shell === 'fish') {
    writeOut(await fishScript(commands));
    return 0;
  }
  const words = await Promise.all(commands.map(wordsOf));
  writeOut(shell === 'bash' ? bash(words) : zsh(words));
  return 0;
}

async function wordsOf({ shape }: Command): Promise<Words> {
  const completed = await Promise.all(
    Object.entries(shape.options).map(async ([name, option]) => [`--${name}`, await completionOf(option)] as const),
  );
  const { complete = [] } = shape.words;
  return {
    name: shape.name,
    summary: shape.summary,
    options: [...Object.keys(shape.options), ...Object.keys(COMMON)].map((name) => `--${name}`),
    choices: completed.filter(([, words]) => words.length > 0),
    operands: typeof complete === 'function' ? await complete() : complete,
  };
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
