import { sanitizeText } from '../../../../base/format.ts'
import { UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { DELIMITER, FLUSH, pktLine, readPktLines } from './pkt-line.ts'
import { SERVICE, VERSION_2 } from './repository.ts'

/** Bands of a packfile section: data, words for people, the last words. */
const DATA = 1
const ERROR = 3

/**
 * The pack of one commit without its history, over smart HTTP with protocol version 2 (version 0 gives tips of branches
 * only). `repository`: see openRepository. Throws UnusableSourceError where the server has no such commit, or gives none that is not a tip.
 */
export async function* fetchCommit(
  http: Http,
  repository: string,
  commit: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const wanted = [`deepen 1\n`, `want ${commit}\n`, 'no-progress\n', 'ofs-delta\n', 'done\n']
  const request = [pktLine('command=fetch\n'), DELIMITER, ...wanted.map(pktLine), FLUSH].join('')
  const { body } = await http.get(new URL(`${repository}/${SERVICE}`), {
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
