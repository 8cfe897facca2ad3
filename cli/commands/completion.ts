import type { Command } from "commander"

/** `foozol-cloud completion`: what a shell needs to complete commands and options. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description('print completion for bash: eval "$(foozol-cloud completion)" in ~/.bashrc')
    .action(() => console.log(bashCompletion(program)))
}

/** A script for bash that completes the words of all commands below one. */
export function bashCompletion(program: Command): string {
  const cases = wordsBelow(program, []).map(
    ({ path, words }) => `    "${path.join(" ")}") words="${words.join(" ")}" ;;`,
  )
  return `_foozol_cloud() {
  local path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  # What is given to a command is no command: the longest path that is one counts.
  while :; do
    words=
    case "$path" in
${cases.join("\n")}
    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    case "$path" in *" "*) path="\${path% *}" ;; *) path="" ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _foozol_cloud foozol-cloud`
}

/** Of each command its path, and what may follow: commands below it, options. */
function wordsBelow(command: Command, path: string[]): { path: string[]; words: string[] }[] {
  const options = command.options.flatMap(({ long }) => long ?? [])
  const words = [...command.commands.map(one => one.name()), ...options, "--help"]
  return [{ path, words }, ...command.commands.flatMap(one => wordsBelow(one, [...path, one.name()]))]
}
