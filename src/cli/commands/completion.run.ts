/** `completion`: the declared commands and options as a script of a shell. */
import yargs from 'yargs';
import type { Command, ExitStatus } from '../command.js';
import { writeOut } from '../output.js';
import type { CompletionArgs } from './completion.js';

interface Words {
  readonly name: string;
  readonly summary: string;
  /** Long options, with their dashes. */
  readonly options: readonly string[];
  /** Values of options that have a choice. */
  readonly choices: readonly (readonly [option: string, values: readonly string[]])[];
}

/** Runs the command. */
export async function runCompletion({ shell }: CompletionArgs, commands: readonly Command[]): Promise<ExitStatus> {
  const words = commands.map(wordsOf);
  writeOut(shell === 'bash' ? bash(words) : zsh(words));
  return 0;
}

function wordsOf(command: Command): Words {
  const { key, choices } = command.options(yargs([]).help(false).version(false)).getOptions();
  const long = Object.keys(key).filter((name) => name.length > 1);
  return {
    name: command.shape.name,
    summary: command.shape.summary,
    options: [...long, 'help', 'version'].map((name) => `--${name}`),
    choices: Object.entries(choices ?? {}).flatMap(([name, values]): [string, string[]][] =>
      long.includes(name) && Array.isArray(values) ? [[`--${name}`, values.map(String)]] : [],
    ),
  };
}

function bash(words: readonly Words[]): string {
  const values = words.flatMap(({ name, choices }) =>
    choices.map(
      ([option, list]) => `    ${name}:${option}) COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$word")); return ;;`,
    ),
  );
  const options = words.map(({ name, options: list }) => `    ${name}) list='${list.join(' ')}' ;;`);
  return `# bash completion for xen-elfpatch
_xen_elfpatch() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} list=''
  COMPREPLY=()
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
    choices.map(([option, list]) => `    ${name}:${option}) compadd -- ${list.join(' ')}; return ;;`),
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
    _files
  fi
}
if [[ "$funcstack[1]" == _xen_elfpatch || "$funcstack[1]" == _xen-elfpatch ]]; then
  _xen_elfpatch "$@"
else
  compdef _xen_elfpatch xen-elfpatch
fi
`;
}
