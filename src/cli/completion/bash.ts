import type { Completions, FileKind, Flag } from './command-tree.ts'

/** For bash 4 and later, without the package bash-completion. */
export function bashCompletion(all: readonly Completions[]): string {
  const [root] = all
  return `# bash completion of thundercloud
_thundercloud_follows() {
  words="" flags="" valued="" files=""
  case "$1" in
${all.map(caseOf).join('\n')}
  esac
}

_thundercloud_value() {
  case "$1 $2" in
${all.flatMap(({ path, flags }) => flags.flatMap((flag) => valueCase(path, flag))).join('\n')}
  *) [ "$1" = "" ] || _thundercloud_value "" "$2" ;;
  esac
}

_thundercloud() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" command="" skip="" word words flags valued files i
  local globals="${flagTexts(root?.flags ?? [])}" globals_valued="${flagTexts((root?.flags ?? []).filter(takesValue))}"
  COMPREPLY=()
  _thundercloud_follows ""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$skip" ]; then skip=""; continue; fi
    if [ "$word" = "--" ]; then mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return; fi
    case " $valued $globals_valued " in *" $word "*) skip=1; continue ;; esac
    case " $words " in *" $word "*)
      command="\${command:+$command }$word"
      _thundercloud_follows "$command" ;;
    esac
  done
  if [ -n "$skip" ]; then _thundercloud_value "$command" "\${COMP_WORDS[COMP_CWORD - 1]}"; return; fi
  if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "$flags $globals" -- "$cur")); return; fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); return; fi
  case "$files" in
  file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
  folder) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
  esac
}

complete -o filenames -F _thundercloud thundercloud
`
}

function caseOf({ path, words, flags, files }: Completions): string {
  const all = words.map(({ text }) => text).join(' ')
  return `  "${path}") words="${all}" flags="${flagTexts(flags)}" valued="${flagTexts(flags.filter(takesValue))}" files="${files ?? ''}" ;;`
}

function valueCase(path: string, { text, value }: Flag): string[] {
  if (value === undefined) return []
  return [`  "${path} ${text}") ${valuesOf(value.choices, value.files)} ;;`]
}

function valuesOf(choices: readonly string[], files: FileKind): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$cur"))`
  if (files === undefined) return ':'
  return `mapfile -t COMPREPLY < <(compgen ${files === 'folder' ? '-d' : '-f'} -- "$cur")`
}

function flagTexts(flags: readonly Flag[]): string {
  return flags.map(({ text }) => text).join(' ')
}

function takesValue({ value }: Flag): boolean {
  return value !== undefined
}
