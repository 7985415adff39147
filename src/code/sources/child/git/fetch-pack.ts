import { sanitizeText } from '../../../../base/format.ts'
import { UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { DELIMITER, FLUSH, pktLine } from './pkt-line.ts'
import { type Repository, request, textOf } from './repository.ts'

/** Bands of a packfile section: data, words for people, the last words. */
const DATA = 1
const ERROR = 3
/** The line before the pack, by the version of the protocol. */
const PACK_FOLLOWS = { 0: 'NAK', 2: 'packfile' } as const
/** What version 0 is asked for with the first object. */
const CAPABILITIES = 'side-band-64k ofs-delta no-progress'

/** `depth`: commits from each of `wants`, all of them where it is undefined; `filter`: which objects to leave out. */
export type PackRequest = {
  readonly wants: readonly string[]
  readonly depth?: number | undefined
  readonly filter?: string | undefined
}

/** The server does not give one of the objects, whether it has it or not. */
export class ObjectRefusedError extends UnusableSourceError {
  override readonly name = 'ObjectRefusedError'
}

/** A pack over smart HTTP. Throws ObjectRefusedError before its first byte. */
export async function* fetchPack(
  http: Http,
  repository: Repository,
  wanted: PackRequest,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let inPack = false
  let bytes = 0
  for await (const line of request(http, repository, postOf(repository, wanted), maxBytes)) {
    if (typeof line === 'string') continue
    if (inPack) {
      const data = packData(line)
      bytes += data.byteLength
      yield data
    } else {
      inPack = textOf(line) === PACK_FOLLOWS[repository.version]
      throwRefusal(textOf(line))
    }
  }
  if (bytes === 0) throw new ObjectRefusedError('the git server sends nothing')
}

function postOf({ version }: Repository, { wants, depth, filter }: PackRequest): string {
  const limits = [
    ...(depth === undefined ? [] : [pktLine(`deepen ${depth}\n`)]),
    ...(filter === undefined ? [] : [pktLine(`filter ${filter}\n`)]),
  ]
  const lines = wants.map((id) => `want ${id}`)
  if (version === 2) {
    const options = ['no-progress\n', 'ofs-delta\n', 'done\n'].map(pktLine)
    const asked = lines.map((line) => pktLine(`${line}\n`))
    return [pktLine('command=fetch\n'), DELIMITER, ...limits, ...asked, ...options, FLUSH].join('')
  }
  const capabilities = filter === undefined ? CAPABILITIES : `${CAPABILITIES} filter`
  const asked = lines.map((line, index) => pktLine(index === 0 ? `${line} ${capabilities}\n` : `${line}\n`))
  return [...asked, ...limits, FLUSH, pktLine('done\n')].join('')
}

function throwRefusal(text: string): void {
  if (!text.startsWith('ERR ')) return
  if (/not our ref|unadvertised|not found|not valid/i.test(text)) throw new ObjectRefusedError(sanitizeText(text, 200))
  throw said(text.slice('ERR '.length))
}

function packData(line: Buffer): Uint8Array {
  if (line[0] === ERROR) throw said(line.toString('utf8', 1))
  return line[0] === DATA ? line.subarray(1) : new Uint8Array(0)
}

function said(text: string): UnusableSourceError {
  return new UnusableSourceError(`the git server says: ${sanitizeText(text.trim(), 200)}`)
}
