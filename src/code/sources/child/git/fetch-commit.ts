import { UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { fetchPack, ObjectRefusedError } from './fetch-pack.ts'
import { MAX_HISTORY_BYTES, readHistory } from './history.ts'
import { listRefs } from './list-refs.ts'
import type { Ref, Repository } from './repository.ts'

/** Branches and tags that are looked through for a commit; branches go first. */
const MAX_TIPS = 2000

/**
 * The pack of one commit without its history. A server that gives branches and tags alone is asked for one that leads to the
 * commit, with as many commits as lie between: then the pack holds those, too. Throws UnusableSourceError where the server has no
 * such commit or does not give it.
 */
export async function* fetchCommit(
  http: Http,
  repository: Repository,
  commit: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* fetchPack(http, repository, { wants: [commit], depth: 1 }, maxBytes)
    return
  } catch (error) {
    if (!(error instanceof ObjectRefusedError)) throw error
  }
  try {
    const { tip, depth } = await findWay(http, repository, commit, maxBytes)
    yield* fetchPack(http, repository, { wants: [tip.id], depth }, maxBytes)
  } catch (error) {
    throw error instanceof ObjectRefusedError ? noCommit(commit) : error
  }
}

/** The branch or tag from which the fewest commits lead to this one. */
async function findWay(http: Http, repository: Repository, commit: string, maxBytes: number) {
  const refs = await listRefs(http, repository, ['refs/heads/', 'refs/tags/'])
  const { heads = [], tags = [] } = Object.groupBy(refs, ([name]) =>
    name.startsWith('refs/heads/') ? 'heads' : 'tags',
  )
  const tips = [...heads, ...tags].map(([, ref]) => ref).slice(0, MAX_TIPS)
  const there = tips.find((tip) => commitOf(tip) === commit)
  if (there !== undefined) return { tip: there, depth: 1 }
  if (!repository.canFilter || tips.length === 0) throw noCommit(commit)
  const wants = [...new Set(tips.map(({ id }) => id))]
  // commits alone: no files, and no folders either
  const pack = fetchPack(http, repository, { wants, filter: 'tree:0' }, Math.min(maxBytes, MAX_HISTORY_BYTES))
  const depths = await readHistory(pack, commit)
  const [nearest] = tips
    .map((tip) => ({ tip, depth: depths.get(commitOf(tip)) ?? Number.POSITIVE_INFINITY }))
    .filter(({ depth }) => Number.isFinite(depth))
    .toSorted((a, b) => a.depth - b.depth)
  if (nearest !== undefined) return nearest
  throw new UnusableSourceError(
    `no branch or tag of the repository leads to the commit ${commit}, and its server gives no single commit`,
  )
}

function commitOf({ id, peeled }: Ref): string {
  return peeled ?? id
}

function noCommit(commit: string): UnusableSourceError {
  return new UnusableSourceError(`the repository has no commit ${commit}, or its server gives no single commit`)
}
