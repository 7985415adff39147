import type { Completions, FileKind, Flag, Word } from './command-tree.ts'

/** For fish: as ~/.config/fish/completions/thundercloud.fish, or read by \`source\`. */
export function fishCompletion(all: readonly Completions[]): string {
  const root = all[0]?.flags ?? []
  const valued = [...new Set(all.flatMap(({ flags }) => flags.filter(takesValue).map(({ text }) => text)))]
  const commands = all.map(({ path }) => path).filter((path) => path !== '')
  return `# fish completion of thundercloud
# The command that is typed, without options and their values.
function __thundercloud_command
    set -l command
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${valued.join(' ')}
            set skip 1
        else if contains -- (string join ' ' $command $word) ${commands.map(quoted).join(' ')}
            set command $command $word
        end
    end
    string join ' ' -- $command
end

function __thundercloud_is
    # in quotes: of no words, an argument would be missing
    test "$(__thundercloud_command)" = "$argv"
end

complete -c thundercloud -f
${root.map((flag) => `complete -c thundercloud ${flagText(flag)}`).join('\n')}
${all.flatMap(linesOf).join('\n')}
`
}

function linesOf({ path, words, flags, files }: Completions): string[] {
  const when = `complete -c thundercloud -n ${quoted(`__thundercloud_is ${quoted(path)}`)}`
  return [
    ...words.map(({ text, describe }) => `${when} -a ${text} -d ${quoted(describe)}`),
    ...(path === '' ? [] : flags.map((flag) => `${when} ${flagText(flag)}`)),
    ...(files === undefined ? [] : [`${when} ${pathsOf(files)}`]),
  ]
}

function flagText({ text, describe, value }: Flag): string {
  const name = text.startsWith('--') ? `-l ${text.slice(2)}` : `-s ${text.slice(1)}`
  if (value === undefined) return `${name} -d ${quoted(describe)}`
  const values = value.choices.length > 0 ? `-x -a ${quoted(value.choices.join(' '))}` : pathsOf(value.files)
  return [name, '-r', values || '-x', `-d ${quoted(describe)}`].join(' ')
}

/** Nothing completes to a file unless this says so: the first line of all turns files off. */
function pathsOf(files: FileKind): string {
  if (files === undefined) return ''
  return files === 'folder' ? "-x -a '(__fish_complete_directories (commandline -ct))'" : '-F'
}

function quoted(text: Word['text']): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function takesValue({ value }: Flag): boolean {
  return value !== undefined
}
