import { sanitizeText } from '../../../../base/format.ts'
import { UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { listRefs } from './list-refs.ts'
import type { Repository } from './repository.ts'

const COMMIT = /^[0-9a-f]{40}$/
/** What can be a name of git, and what could be something else in a request. */
const NAME = /^[^\s~^:?*[\\\p{Cc}-][^\s~^:?*[\\\p{Cc}]{0,254}$/u

/**
 * The commit that a branch, a tag or HEAD leads to now; of two that have the name, in git's own order. A whole commit id
 * leads to itself. Throws UnusableSourceError where the repository has no such name.
 */
export async function findCommit(http: Http, repository: Repository, ref: string): Promise<string> {
  if (COMMIT.test(ref)) return ref
  if (!NAME.test(ref)) throw new UnusableSourceError(`${JSON.stringify(ref)} is no name of a branch or tag`)
  const names = ref === 'HEAD' ? [ref] : [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`]
  const refs = await listRefs(http, repository, names)
  const found = names.map((name) => refs.get(name)).find((one) => one !== undefined)
  if (found === undefined) {
    throw new UnusableSourceError(`the repository has no branch or tag ${JSON.stringify(sanitizeText(ref, 100))}`)
  }
  return found.peeled ?? found.id
}
