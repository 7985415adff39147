/** The code that a command is looked for in; links lead where they lead. */
export interface CodeTree {
  file(path: string): { readonly executable: boolean } | undefined
  isFolder(path: string): boolean
}

export type RunOf = {
  readonly command: readonly string[]
  readonly build: readonly string[] | undefined
  readonly workdir: string
}
