import { sanitizeText } from '../../../../base/format.ts'
import { UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { DELIMITER, FLUSH, pktLine, readPktLines } from './pkt-line.ts'
import { SERVICE, VERSION_2 } from './repository.ts'

/** Names of branches and tags that begin with what was asked for. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const COMMIT = /^[0-9a-f]{40}$/
/** What can be a name of git, and what could be something else in a request. */
const NAME = /^[^\s~^:?*[\\\p{Cc}-][^\s~^:?*[\\\p{Cc}]{0,254}$/u

/**
 * The commit that a branch, a tag or HEAD leads to now, by the command `ls-refs`; of two that have the name, in git's own
 * order. A whole commit id leads to itself. Throws UnusableSourceError where the repository has no such name.
 */
export async function findCommit(http: Http, repository: string, ref: string): Promise<string> {
  if (COMMIT.test(ref)) return ref
  if (!NAME.test(ref)) throw new UnusableSourceError(`${JSON.stringify(ref)} is no name of a branch or tag`)
  const names = ref === 'HEAD' ? [ref] : [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`]
  const wanted = ['peel\n', ...names.map((name) => `ref-prefix ${name}\n`)]
  const request = [pktLine('command=ls-refs\n'), DELIMITER, ...wanted.map(pktLine), FLUSH].join('')
  const { body } = await http.get(new URL(`${repository}/${SERVICE}`), {
    maxBytes: MAX_ANSWER_BYTES,
    accept: `application/x-${SERVICE}-result`,
    headers: { ...VERSION_2, 'content-type': `application/x-${SERVICE}-request` },
    post: request,
  })
  const found = new Map<string, string>()
  for await (const line of readPktLines(body)) {
    if (typeof line === 'string') continue
    const [id = '', name = '', ...attributes] = line.toString().trimEnd().split(' ')
    // a tag with a message is an object of its own, which names the commit
    const peeled = attributes.find((one) => one.startsWith('peeled:'))?.slice('peeled:'.length)
    found.set(name, peeled ?? id)
  }
  const commit = names.map((name) => found.get(name)).find((id) => id !== undefined && COMMIT.test(id))
  if (commit === undefined) {
    throw new UnusableSourceError(`the repository has no branch or tag ${JSON.stringify(sanitizeText(ref, 100))}`)
  }
  return commit
}
