/** The completion script for zsh: commands and options with their descriptions, values, words. */
import { type CommandWords, goOn, type OptionWords } from './completion-list.js';

/** The script, from the declarations that --help is made of. */
export function zshScript(commands: readonly CommandWords[]): string {
  const help = `${quoted('help:the options of a command')}`;
  const names = commands.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(' ');
  const options = commands.map(({ name, options: list }) => `    ${name}) list=(${list.map(described).join(' ')}) ;;`);
  const settings = commands.flatMap(({ name, options: list }) =>
    list.flatMap((each) =>
      Object.entries(each.settings).map(([key, words]) => `      ${name}:${each.option}:${key}) ${offer(words)} ;;`),
    ),
  );
  const values = commands.flatMap(({ name, options: list }) =>
    list.flatMap(({ option, values: words, isList }) =>
      words.length === 0
        ? []
        : [`    ${name}:${option}) ${isList ? "compset -P '*,'; " : ''}${offer(words)}; return ;;`],
    ),
  );
  const operands = commands.flatMap(({ name, operands: words }) =>
    words.length > 0 ? [`      ${name}) compadd -- ${words.join(' ')} ;;`] : [],
  );
  return `#compdef xen-elfpatch
# zsh completion for xen-elfpatch
_xen_elfpatch() {
  local -a commands list
  local before="\${words[CURRENT-1]}"
  commands=(${names} ${help})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  # --for=xen-pv is the option and its value.
  if [[ "$PREFIX" == --*=* ]]; then
    before="\${PREFIX%%=*}"
    compset -P 1 '*='
  fi
  if [[ "$PREFIX" != -* && "$PREFIX" == *=* ]]; then
    local key="\${PREFIX%%=*}"
    compset -P 1 '*='
    case "\${words[2]}:$before:$key" in
${settings.join('\n')}
    esac
    if compset -P '*file:'; then _files; fi
    return
  fi
  case "\${words[2]}:$before" in
    help:help) _describe command commands; return ;;
${values.join('\n')}
  esac
  case "\${words[2]}" in
${options.join('\n')}
  esac
  if [[ "$PREFIX" == -* ]]; then
    _describe -o option list
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

function described({ option, about }: OptionWords): string {
  return quoted(`${option}:${about}`);
}

/** Words that go on get no blank behind them. */
function offer(words: readonly string[]): string {
  const open = words.filter((word) => goOn([word]));
  const whole = words.filter((word) => !goOn([word]));
  const parts = [
    ...(whole.length > 0 ? [`compadd -- ${whole.join(' ')}`] : []),
    ...(open.length > 0 ? [`compadd -S '' -- ${open.join(' ')}`] : []),
  ];
  return parts.join('; ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
