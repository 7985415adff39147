import table from '../../../configs/toolchains.json' with { type: 'json' }

/** What a toolchain's name means to the executors. */
export type Toolchain = {
  readonly name: string
  /** aliases, lower-case */
  readonly aliases: readonly string[]
  /** the image that its services run in: from the engine, or from REGISTRIES.DOCKER */
  readonly image: string
  /** the program that must be on the host's PATH to run it in the sandbox */
  readonly program: string
  /** a command line to begin with */
  readonly example: readonly string[]
}

const { $schema: _schema, ...entries } = table

export const toolchains: readonly Toolchain[] = Object.entries(entries).map(([name, entry]) => ({ name, ...entry }))

const byName = new Map(
  toolchains.flatMap((toolchain) => [toolchain.name, ...toolchain.aliases].map((word) => [word, toolchain] as const)),
)

/** The toolchain of this name, if the table has it. */
export function findToolchain(word: string): Toolchain | undefined {
  return byName.get(word.toLowerCase())
}

/** One spelling for every toolchain: "Node", "nodejs" and "node.js" are the same. An unknown name stays, in lower case. */
export function canonicalToolchain(word: string): string {
  return findToolchain(word)?.name ?? word.toLowerCase()
}
