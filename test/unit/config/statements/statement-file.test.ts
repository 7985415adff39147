import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { addressBytes } from '../../../../protocols/address.ts'
import { encodeAttestation } from '../../../../protocols/attestation.ts'
import { cidOfBytes } from '../../../../protocols/encoding.ts'
import { encodeStatement, signStatement } from '../../../../protocols/statement.ts'
import { readStatementFile } from '../../../../src/config/statements/statement-file.ts'
import { newSigner } from '../../../fixtures/mesh/announcement-of.ts'

const dir = mkdtempSync(join(tmpdir(), 'tc-r-statements-'))
afterAll(() => rmSync(dir, { recursive: true }))

function statement(seq: number): Uint8Array {
  const signer = newSigner()
  const [hub, code] = [addressBytes(signer.address), cidOfBytes(Buffer.from('code'))]
  const body = encodeAttestation({ v: 1, hub, code, verdict: 'safe', issued: 1, expires: 100, seq })
  return encodeStatement(signStatement(body, 'test', signer))
}

function written(content: string | Uint8Array): string {
  writeFileSync(join(dir, 'x'), content)
  return join(dir, 'x')
}

describe('a file of statements', () => {
  const [one, two] = [statement(1), statement(2)]

  test('holds the bytes of one', async () => {
    expect(await readStatementFile(written(one))).toEqual([one])
  })

  test('or one a line, in either alphabet of base64', async () => {
    const text = `# of yesterday\n${Buffer.from(one).toString('base64')}\n\n  ${Buffer.from(two).toString('base64url')}\r\n`
    expect(await readStatementFile(written(text))).toEqual([one, two])
  })

  test.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /^it holds no statement; name a file/],
    ['a remark alone', '# x\n', /^it holds no statement/],
    ['JSON', '\n{"a":1}', /^it, line 2 is "\{\\"a\\":1\}", which is no base64; name a file/],
    ['some other base64', 'aGVsbG8=', /^it, line 1 is no statement: /],
    ['half of one', one.subarray(0, 60), /^it is no statement: /],
    ['too long a one', new Uint8Array(5000).fill(0xa2), /^it is no statement: .*4096/],
    ['a file of another kind', new Uint8Array(9 * 2 ** 20), /^it has 9437184 bytes; name a file/],
  ])('is refused in one sentence where it holds %s', async (_what, content, sentence) => {
    const reading = readStatementFile(written(content), { file: 'it' })
    await expect(reading).rejects.toThrow(sentence)
    await expect(reading).rejects.toMatchObject({ name: 'InputError' })
  })

  test('that is not there, or a folder, is one sentence too', async () => {
    await expect(readStatementFile(join(dir, 'nowhere'), { file: 'it' })).rejects.toThrow(/^it cannot be read: ENOENT/)
    await expect(readStatementFile(dir, { file: 'it' })).rejects.toThrow(/^it is not a file; name a file/)
  })
})
