import { sanitizeText } from '../../../../base/format.ts'
import { UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { DELIMITER, FLUSH, type PktLine, pktLine, readPktLines } from './pkt-line.ts'

const VERSION_2 = { 'git-protocol': 'version=2' }
const SERVICE = 'git-upload-pack'
/** What a server says about itself. */
const MAX_ADVERTISEMENT_BYTES = 256 * 1024

/** Bands of a packfile section: data, words for people, the last words. */
const DATA = 1
const ERROR = 3

/**
 * The pack of one commit without its history, over smart HTTP with protocol version 2 (version 0 gives tips of branches
 * only). Throws UnusableSourceError where the server has no such commit, or gives none that is not a tip.
 */
export async function* fetchCommit(http: Http, url: URL, commit: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  const base = await connect(http, url)
  const wanted = [`deepen 1\n`, `want ${commit}\n`, 'no-progress\n', 'ofs-delta\n', 'done\n']
  const request = [pktLine('command=fetch\n'), DELIMITER, ...wanted.map(pktLine), FLUSH].join('')
  const { body } = await http.get(new URL(`${base}/${SERVICE}`), {
    maxBytes,
    accept: `application/x-${SERVICE}-result`,
    headers: { ...VERSION_2, 'content-type': `application/x-${SERVICE}-request` },
    post: request,
  })
  let inPack = false
  let bytes = 0
  for await (const line of readPktLines(body)) {
    if (typeof line === 'string') continue
    if (inPack) {
      const data = packData(line)
      bytes += data.byteLength
      yield data
    } else {
      inPack = beginsPack(line, commit)
    }
  }
  if (bytes === 0) throw noCommit(commit)
}

/** The address of the repository, after redirects of the first request; later requests follow none. */
async function connect(http: Http, url: URL): Promise<string> {
  const service = `/info/refs?service=${SERVICE}`
  const asked = new URL(`${url.href.replace(/\/+$/, '')}${service}`)
  const answer = await http.get(asked, { maxBytes: MAX_ADVERTISEMENT_BYTES, headers: VERSION_2 })
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

function beginsPack(line: Buffer, commit: string): boolean {
  const text = line.toString().trimEnd()
  if (text.startsWith('ERR ')) {
    throw /not our ref|unadvertised|not found/i.test(text) ? noCommit(commit) : said(text.slice(4))
  }
  return text === 'packfile'
}

function packData(line: Buffer): Uint8Array {
  if (line[0] === ERROR) throw said(line.toString('utf8', 1))
  return line[0] === DATA ? line.subarray(1) : new Uint8Array(0)
}

function noCommit(commit: string): UnusableSourceError {
  return new UnusableSourceError(`the repository has no commit ${commit}, or its server gives no single commit`)
}

function said(text: string): UnusableSourceError {
  return new UnusableSourceError(`the git server says: ${sanitizeText(text.trim(), 200)}`)
}
