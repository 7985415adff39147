import type { Completions, FileKind, Flag, Word } from './command-tree.ts'

/** For zsh: as a file \`_thundercloud\` of a folder in fpath, or read by \`source\`. */
export function zshCompletion(all: readonly Completions[]): string {
  const root = all[0]?.flags ?? []
  return `#compdef thundercloud
_thundercloud_follows() {
  subs=() flags=() valued=() files=""
  case "$1" in
${all.map(caseOf).join('\n')}
  esac
}

_thundercloud_value() {
  case "$1 $2" in
${all.flatMap(({ path, flags }) => flags.flatMap((flag) => valueCase(path, flag))).join('\n')}
  *) [[ -z "$1" ]] || _thundercloud_value "" "$2" ;;
  esac
}

_thundercloud() {
  local command="" skip="" word files i
  local -a subs names flags valued globals globals_valued
  globals=(${described(root)})
  globals_valued=(${texts(root.filter(takesValue))})
  _thundercloud_follows ""
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    if [[ "$word" == "--" ]]; then _files; return; fi
    if (( \${valued[(Ie)$word]} || \${globals_valued[(Ie)$word]} )); then skip=1; continue; fi
    names=(\${subs%%:*})
    if (( \${names[(Ie)$word]} )); then
      command="\${command:+$command }$word"
      _thundercloud_follows "$command"
    fi
  done
  if [[ -n "$skip" ]]; then _thundercloud_value "$command" "\${words[CURRENT-1]}"; return; fi
  if [[ "\${words[CURRENT]}" == -* ]]; then _describe -o option flags -- globals; return; fi
  if (( \${#subs} )); then _describe command subs; return; fi
  case "$files" in
  file) _files ;;
  folder) _files -/ ;;
  esac
}

if [[ "\${funcstack[1]}" == "_thundercloud" ]]; then _thundercloud "$@"; else compdef _thundercloud thundercloud; fi
`
}

function caseOf({ path, words, flags, files }: Completions): string {
  return `  "${path}") subs=(${described(words)}) flags=(${described(flags)}) valued=(${texts(flags.filter(takesValue))}) files="${files ?? ''}" ;;`
}

function valueCase(path: string, { text, value }: Flag): string[] {
  if (value === undefined) return []
  return [`  "${path} ${text}") ${valuesOf(value.choices, value.files)} ;;`]
}

function valuesOf(choices: readonly string[], files: FileKind): string {
  if (choices.length > 0) return `compadd -- ${choices.join(' ')}`
  if (files === undefined) return ':'
  return files === 'folder' ? '_files -/' : '_files'
}

function described(words: readonly Word[]): string {
  return words
    .map(({ text, describe }) => `'${text}:${describe.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`)
    .join(' ')
}

function texts(flags: readonly Flag[]): string {
  return flags.map(({ text }) => text).join(' ')
}

function takesValue({ value }: Flag): boolean {
  return value !== undefined
}
