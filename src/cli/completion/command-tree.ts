import type { Command as Commander } from 'commander'

/** What may follow one command, or one group of commands. */
export type Completions = {
  /** the words after the program's name: "", "block", "block author" */
  readonly path: string
  readonly words: readonly Word[]
  readonly flags: readonly Flag[]
  /** what its first argument is */
  readonly files: FileKind
}

export type Word = { readonly text: string; readonly describe: string }
export type Flag = Word & {
  /** it is followed by a value: none, one of these, or a path */
  readonly value?: { readonly choices: readonly string[]; readonly files: FileKind } | undefined
}

export type FileKind = 'file' | 'folder' | undefined

/** Of each command, as the parser itself knows it. */
export function completionsOf(root: Commander): Completions[] {
  const visit = (command: Commander, path: string): Completions[] => [
    {
      path,
      words: command.commands.map((sub) => ({ text: sub.name(), describe: sub.description() })),
      flags: command.options.flatMap(({ short, long, description, required, argChoices, flags }) => {
        const takes = /<(.*)>/.exec(flags)?.[1] ?? ''
        const value = required ? { choices: argChoices ?? [], files: kindOf(takes) } : undefined
        return [long, short].flatMap((text) => (text ? [{ text, describe: description, value }] : []))
      }),
      files: kindOf(command.registeredArguments[0]?.name() ?? ''),
    },
    ...command.commands.flatMap((sub) => visit(sub, `${path} ${sub.name()}`.trim())),
  ]
  return visit(root, '')
}

function kindOf(label: string): FileKind {
  if (/DIR/.test(label)) return 'folder'
  return /FILE|PATH|MANIFEST/.test(label) ? 'file' : undefined
}
