import { NotFoundError, UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { type PktLine, readPktLines } from './pkt-line.ts'

export const VERSION_2 = { 'git-protocol': 'version=2' }
export const SERVICE = 'git-upload-pack'
/** What a server says about itself. */
const MAX_ADVERTISEMENT_BYTES = 256 * 1024

/** The address of the repository, after redirects of the first request; later requests follow none. */
export async function openRepository(http: Http, url: URL): Promise<string> {
  const service = `/info/refs?service=${SERVICE}`
  const asked = new URL(`${url.href.replace(/\/+$/, '')}${service}`)
  const answer = await http.get(asked, { maxBytes: MAX_ADVERTISEMENT_BYTES, headers: VERSION_2 }).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error
    throw new UnusableSourceError(`there is no repository of git (${error.message})`, { cause: error })
  })
  const lines: PktLine[] = []
  for await (const line of readPktLines(answer.body)) lines.push(line)
  const texts = lines.map((line) => (typeof line === 'string' ? '' : line.toString().trimEnd()))
  if (!texts.includes('version 2') || !texts.some((text) => /^fetch=(.* )?shallow( |$)/.test(text))) {
    throw new UnusableSourceError(`${url.host} does not speak version 2 of git's protocol, or gives no single commit`)
  }
  if (texts.some((text) => text.startsWith('object-format=') && text !== 'object-format=sha1')) {
    throw new UnusableSourceError(
      `${url.host} has this repository with another hash than SHA-1, which is not supported`,
    )
  }
  const { href } = answer.url
  if (!href.endsWith(service)) throw new UnusableSourceError(`${url.host} redirects to what is not a git repository`)
  return href.slice(0, -service.length)
}
