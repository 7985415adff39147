import { canonicalToolchain } from './toolchains.ts'

/** A pool's name in its parts. `owner` is as it was written. */
export type ContainerName = { readonly group: string; readonly owner: string; readonly toolchains: readonly string[] }

const SHAPE =
  /^(?<group>[A-Za-z0-9][A-Za-z0-9_]*)-(?<owner>(?:ed25519:|legacy:|bls12-381:)?[0-9A-Za-z]+)-(?<toolchains>.+)$/

/** Splits `<group>-<owner address>-<toolchains joined by dots>`; "node.js" among the toolchains counts as one. */
export function splitContainer(name: string): ContainerName | undefined {
  const { group, owner, toolchains } = SHAPE.exec(name)?.groups ?? {}
  if (group === undefined || owner === undefined || toolchains === undefined) return undefined
  const parts = toolchains.replace(/\bnode\.js\b/gi, 'node').split('.')
  return { group, owner, toolchains: [...new Set(parts.map(canonicalToolchain))] }
}
