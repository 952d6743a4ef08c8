/** The completion script for bash. */
import { type CommandWords, goOn } from './completion-list.js';

/** The script, from the declarations that --help is made of. */
export function bashScript(commands: readonly CommandWords[]): string {
  const settings = commands.flatMap(({ name, options }) =>
    options.flatMap((each) =>
      Object.entries(each.settings).map(([key, words]) => `      ${name}:${each.option}:${key}) ${offer(words)} ;;`),
    ),
  );
  const values = commands.flatMap(({ name, options }) =>
    options.flatMap(({ option, values: words, isList }) =>
      words.length === 0 ? [] : [`    ${name}:${option}) ${offer(words, isList)} return ;;`],
    ),
  );
  const options = commands.map(
    ({ name, options: list }) => `    ${name}) list='${list.map(({ option }) => option).join(' ')}' ;;`,
  );
  const operands = commands.flatMap(({ name, operands: words }) =>
    words.length > 0 ? [`    ${name}:[!-]*|${name}:) ${offer(words)} return ;;`] : [],
  );
  return `# bash completion for xen-elfpatch
_xen_elfpatch() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} list='' head='' key='' at
  COMPREPLY=()
  # Bash makes words of --for=xen-pv and of NAME=VALUE: what is in front of the sign, the sign, what is behind it.
  at=$((COMP_CWORD - 1))
  if [ "$word" = = ]; then word='' at=$COMP_CWORD before='='; fi
  if [ "$before" = = ]; then
    before=\${COMP_WORDS[at-1]}
    case $before in
      -*) ;;
      *) key=$before before=\${COMP_WORDS[at-2]}; if [ "$before" = = ]; then before=\${COMP_WORDS[at-3]}; fi ;;
    esac
  fi
  # A list goes on behind its last comma.
  case $word in *,*) head=\${word%,*}, ;; esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} help --help --version' -- "$word"))
    return
  fi
  if [ -n "$key" ]; then
    case "$command:$before:$key" in
${settings.join('\n')}
    esac
    return
  fi
  case "$command:$before" in
    help:help) COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$word")); return ;;
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
    *) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -F _xen_elfpatch xen-elfpatch
`;
}

function offer(words: readonly string[], isList = false): string {
  const list = isList ? `-P "$head" -- "\${word#"$head"}"` : '-- "$word"';
  const goesOn = goOn(words) ? ' compopt -o nospace 2>/dev/null;' : '';
  const mixed = !goOn(words) && words.some((word) => goOn([word]));
  // Where some go on and some do not, what was chosen decides.
  const byChoice = mixed ? ` case "\${COMPREPLY[*]}" in *[=:]) compopt -o nospace 2>/dev/null ;; esac;` : '';
  return `COMPREPLY=($(compgen -W '${words.join(' ')}' ${list}));${goesOn}${byChoice}`;
}
