import { NotFoundError, UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { type PktLine, readPktLines } from './pkt-line.ts'

const SERVICE = 'git-upload-pack'
const VERSION_2 = { 'git-protocol': 'version=2' }
/** What a server says about itself: with version 0, all branches and tags. */
const MAX_ADVERTISEMENT_BYTES = 4 * 1024 * 1024
const REF = /^([0-9a-f]{40}) (\S+)$/
const PEELED = '^{}'

/** `peeled`: of a tag with a message, which is an object of its own, what it names. */
export type Ref = { readonly id: string; readonly peeled?: string | undefined }

export type Repository = {
  /** after redirects of the first request; later requests follow none */
  readonly address: string
  readonly version: 0 | 2
  /** whether it leaves out objects where it is asked to */
  readonly canFilter: boolean
  /** by name; with version 0 alone, which names them all at once */
  readonly refs: ReadonlyMap<string, Ref>
}

export async function openRepository(http: Http, url: URL): Promise<Repository> {
  const service = `/info/refs?service=${SERVICE}`
  const asked = new URL(`${url.href.replace(/\/+$/, '')}${service}`)
  const answer = await http.get(asked, { maxBytes: MAX_ADVERTISEMENT_BYTES, headers: VERSION_2 }).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error
    throw new UnusableSourceError(`there is no repository of git (${error.message})`, { cause: error })
  })
  const texts: string[] = []
  for await (const line of readPktLines(answer.body)) texts.push(textOf(line))
  const about = texts.includes('version 2') ? aboutOfVersion2(texts) : aboutOfVersion0(texts)
  if (about === undefined) {
    throw new UnusableSourceError(
      `${url.host} does not speak version 2 of git's protocol, nor version 0, or gives no single commit`,
    )
  }
  if (about.hash !== undefined && about.hash !== 'sha1') {
    throw new UnusableSourceError(
      `${url.host} has this repository with another hash than SHA-1, which is not supported`,
    )
  }
  const { href } = answer.url
  if (!href.endsWith(service)) throw new UnusableSourceError(`${url.host} redirects to what is not a git repository`)
  return { address: href.slice(0, -service.length), ...about }
}

/** What the repository answers to one request. */
export async function* request(
  http: Http,
  { address, version }: Repository,
  post: string,
  maxBytes: number,
): AsyncGenerator<PktLine> {
  const { body } = await http.get(new URL(`${address}/${SERVICE}`), {
    maxBytes,
    accept: `application/x-${SERVICE}-result`,
    headers: { ...(version === 2 ? VERSION_2 : {}), 'content-type': `application/x-${SERVICE}-request` },
    post,
  })
  yield* readPktLines(body)
}

export function textOf(line: PktLine): string {
  return typeof line === 'string' ? '' : line.toString().trimEnd()
}

type About = Omit<Repository, 'address'> & { readonly hash: string | undefined }

function aboutOfVersion2(texts: readonly string[]): About | undefined {
  const valuesOf = (key: string) => texts.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1)
  const features = valuesOf('fetch')?.split(' ') ?? []
  if (!features.includes('shallow')) return undefined
  return { version: 2, canFilter: features.includes('filter'), refs: new Map(), hash: valuesOf('object-format') }
}

/** A line for each ref; behind a zero in the first, what the server can do. */
function aboutOfVersion0(texts: readonly string[]): About | undefined {
  const [line = '', capabilities] = texts.find((text) => text.includes('\0'))?.split('\0') ?? []
  const can = new Set(capabilities?.split(' '))
  if (!texts.includes(`# service=${SERVICE}`) || !can.has('shallow') || !can.has('side-band-64k')) return undefined
  const refs = new Map<string, Ref>()
  for (const text of [line, ...texts]) {
    const [, id, name] = REF.exec(text) ?? []
    if (id === undefined || name === undefined) continue
    const tag = name.endsWith(PEELED) ? refs.get(name.slice(0, -PEELED.length)) : undefined
    if (tag === undefined) refs.set(name, { id })
    else refs.set(name.slice(0, -PEELED.length), { ...tag, peeled: id })
  }
  const hash = [...can].find((one) => one.startsWith('object-format='))?.slice('object-format='.length)
  return { version: 0, canFilter: can.has('filter'), refs, hash }
}
