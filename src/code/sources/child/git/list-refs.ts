import type { Http } from '../http.ts'
import { DELIMITER, FLUSH, pktLine } from './pkt-line.ts'
import { type Ref, type Repository, request, textOf } from './repository.ts'

/** Names of branches and tags that begin with what was asked for. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const ID = /^[0-9a-f]{40}$/

/** The refs whose names begin with one of `prefixes`, by name: by the command `ls-refs`, or as the server has named them already. */
export async function listRefs(
  http: Http,
  repository: Repository,
  prefixes: readonly string[],
): Promise<Map<string, Ref>> {
  const isAsked = ([name]: [string, Ref]) => prefixes.some((prefix) => name.startsWith(prefix))
  if (repository.version === 0) return new Map([...repository.refs].filter(isAsked))
  const wanted = ['peel\n', ...prefixes.map((prefix) => `ref-prefix ${prefix}\n`)]
  const post = [pktLine('command=ls-refs\n'), DELIMITER, ...wanted.map(pktLine), FLUSH].join('')
  const found = new Map<string, Ref>()
  for await (const line of request(http, repository, post, MAX_ANSWER_BYTES)) {
    const [id = '', name = '', ...attributes] = textOf(line).split(' ')
    const peeled = attributes.find((one) => one.startsWith('peeled:'))?.slice('peeled:'.length)
    if (ID.test(id) && ID.test(peeled ?? id)) found.set(name, { id, peeled })
  }
  return found
}
