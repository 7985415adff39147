import { decodeStatement } from '../../../protocols/statement.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { readBytes } from '../read.ts'

/** Some ten thousand statements in base64; what is larger is some other file. */
const MAX_FILE_BYTES = 8 * 1024 * 1024
const WANTED = 'name a file with one statement as `--out` writes it, or with one in base64 on each line'

/**
 * A file of statements: the bytes of one, or one in base64 (either alphabet) a line, where empty lines
 * and lines that begin with # count for nothing. Shape and limits are checked, signatures and times are not. `file` is
 * how messages call it. Throws an InputError.
 */
export async function readStatementFile(
  path: string,
  { file = path, signal }: { file?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array[]> {
  const bytes = await readBytes(path, { file, advice: WANTED, maxBytes: MAX_FILE_BYTES, signal })
  // a map in dag-cbor; text is below
  const found = (bytes[0] ?? 0) >= 0x80 ? [{ where: file, encoded: bytes }] : linesOf(bytes, file)
  if (found.length === 0) throw new InputError(`${file} holds no statement; ${WANTED}`)
  return found.map(({ where, encoded }) => {
    check(encoded, where)
    return encoded
  })
}

function linesOf(bytes: Uint8Array, file: string): { where: string; encoded: Uint8Array }[] {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.flatMap((line, index) => {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) return []
    const where = `${file}, line ${index + 1}`
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
      throw new InputError(`${where} is ${JSON.stringify(sanitizeText(text, 40))}, which is no base64; ${WANTED}`)
    }
    return [{ where, encoded: new Uint8Array(Buffer.from(text, 'base64')) }]
  })
}

function check(encoded: Uint8Array, where: string): void {
  decodeInput(
    () => decodeStatement(encoded),
    ({ message }) => `${where} is no statement: ${message}`,
  )
}
