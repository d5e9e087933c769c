/**
 * The completion for bash: a table of words made from the commands, and the few lines that look into it. It needs
 * nothing from the package bash-completion but to be loaded by it.
 */

/** `program` is what readCommands gives. */
export function renderCompletion(program) {
  const all = [program, ...within(program)];
  const paths = all.slice(1).map(({ path }) => `'${keyOf(path)}'`);
  return `\
# bash completion for firstlight, made by "npm run package" from the definitions of its commands
_firstlight() {
    local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} at='' words='' i
    COMPREPLY=()
    # Readline splits --option=value in three.
    [[ $word == '=' ]] && word=''
    [[ $before == '=' ]] && before=\${COMP_WORDS[COMP_CWORD - 2]}
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at \${COMP_WORDS[i]}" in
            ${paths.join(' | ')}) at+=" \${COMP_WORDS[i]}" ;;
        esac
    done
    case "$at $before" in
${all.flatMap(values).join('\n')}
    esac
    case "$at" in
${all.map(words).join('\n')}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _firstlight firstlight
`;
}

function within({ commands }) {
  return commands.flatMap((command) => [command, ...within(command)]);
}

/** ` config check`: how far the line has come, as the function above writes it. */
function keyOf(path) {
  return path.map((word) => ` ${word}`).join('');
}

/** What may follow an option that takes a value. */
function values({ path, options }) {
  return options
    .filter(({ value }) => value !== undefined)
    .map(({ names, value, choices }) => {
      const pattern = names.map((name) => `'${keyOf(path)} ${name}'`).join(' | ');
      return `        ${pattern}) ${offer(value, choices)} ;;`;
    });
}

function offer(value, choices) {
  if (choices.length > 0)
    return `mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$word"); return`;
  if (/dir/i.test(value))
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return';
  if (/file|path|image/i.test(value))
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return';
  return 'return';
}

/** What may follow a command: its own commands, the choices of its arguments, its options. */
function words({ path, commands, options, arguments: operands }) {
  const offered = [
    ...commands.map((command) => command.path.at(-1)),
    ...operands.flatMap(({ choices }) => choices),
    ...options.flatMap(({ names }) => names),
  ];
  return `        '${keyOf(path)}') words='${offered.join(' ')}' ;;`;
}
