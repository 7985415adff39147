import { InputError } from '../../base/errors.ts'
import type { ServiceView } from '../../node/types.ts'
import type { PublishedEntry } from '../author.ts'

export type SequenceFacts = {
  readonly name: string
  readonly mode: 'publish' | 'update'
  /** what this machine remembers of the name */
  readonly entry: PublishedEntry | undefined
  /** the author's services of this name that the node knows */
  readonly known: readonly Pick<ServiceView, 'seq' | 'state' | 'expires'>[]
  /** --seq */
  readonly asked: number | undefined
  readonly nowSeconds: number
}

/**
 * The number of the next version. The mesh takes the highest of a name and ignores the rest, so it must be above all
 * that was ever published under it; and a name is given away once, so that a slip does not replace what runs.
 */
export function nextSeq({ name, mode, entry, known, asked, nowSeconds }: SequenceFacts): number {
  const highest = Math.max(0, entry?.seq ?? 0, ...known.map(({ seq }) => seq))
  const isCurrentHere = entry?.state === 'announced' && entry.expires > nowSeconds
  const isCurrentThere = known.some(
    ({ state, expires }) => state !== 'stopped' && state !== 'expired' && expires > nowSeconds,
  )
  if (mode === 'publish' && (isCurrentHere || isCurrentThere)) {
    throw new InputError(
      `"${name}" is published already (seq ${highest}); use \`thundercloud update\` for its next version, also to offer the same code again`,
    )
  }
  if (mode === 'update' && highest === 0 && asked === undefined) {
    throw new InputError(
      `nothing named "${name}" was published with this key from here; use \`thundercloud publish\`, or give the next number with --seq`,
    )
  }
  if (asked !== undefined && asked <= highest) {
    throw new InputError(`--seq is ${asked}; it must be above ${highest}, the number of the current version`)
  }
  return asked ?? highest + 1
}
