import { TooLargeError } from '../../../errors.ts'
import { openPack } from './pack-file.ts'

const PACK = 'history.pack'
/** Of a pack of commits, and of what they unpack to. */
export const MAX_HISTORY_BYTES = 64 * 1024 * 1024
const MAX_COMMITS = 100_000

/**
 * How many commits lie on the shortest way from each commit of a pack to `commit`, both counted. `pieces` are a pack of
 * commits, and of the tags that name some. Throws UnusableSourceError or TooLargeError.
 */
export async function readHistory(
  pieces: AsyncIterable<Uint8Array>,
  commit: string,
): Promise<ReadonlyMap<string, number>> {
  using pack = await openHistory(pieces)
  const childrenOf = new Map<string, string[]>()
  for (const id of pack.ids()) {
    const { type, content } = pack.read(id)
    if (type !== 'commit') continue
    for (const parent of parentsOf(content)) {
      const children = childrenOf.get(parent) ?? []
      childrenOf.set(parent, children)
      children.push(id)
    }
  }
  const depths = new Map([[commit, 1]])
  // what is added while it is walked through comes in its turn
  for (const [id, depth] of depths) {
    for (const child of childrenOf.get(id) ?? []) {
      if (!depths.has(child)) depths.set(child, depth + 1)
    }
  }
  return depths
}

async function openHistory(pieces: AsyncIterable<Uint8Array>) {
  try {
    return await openPack(PACK, pieces, { maxObjects: MAX_COMMITS, maxBytes: MAX_HISTORY_BYTES })
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error
    throw new TooLargeError(
      'the server gives no single commit, and the history in which it lies is too large to read',
      {
        cause: error,
      },
    )
  }
}

/** They stand in the header, behind the line of the tree and before all that a person may write. */
function parentsOf(content: Buffer): string[] {
  const end = content.indexOf('\n\n')
  const header = content.toString('latin1', 0, end < 0 ? content.byteLength : end)
  return [...header.matchAll(/^parent ([0-9a-f]{40})$/gm)].map(([, id]) => id as string)
}
