import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { blsSigner } from '../../../protocols/signature.ts'
import { loadHub, loadHubKey } from '../../../src/config/index.ts'
import { newKeyPem } from '../../../src/config/keys/key-file.ts'
import { codeFolder, signatures } from '../../fixtures/trust/signatures.ts'

const EXAMPLE = new URL('../../../configs/examples/operator', import.meta.url).pathname
const hubJson = (value: unknown) => codeFolder({ 'hub.json': value === '{' ? value : JSON.stringify(value) })
const load = (dir: string, overrides = {}) => loadHub(dir, { env: { PATH: '/nonexistent' }, overrides })

it('hub.json: need not be there', async () => {
  await using folder = await codeFolder({})
  const { settings } = await load(folder.dir)
  expect(settings).toMatchObject({ signer: undefined, validSeconds: 30 * 86_400, concurrency: 1, maxSize: 2 ** 29 })
  expect(settings.scanners).toContainEqual({ kind: 'manifest' })
})

it('hub.json: is fine in the example', async () => {
  const { settings } = await load(EXAMPLE)
  expect(settings).toMatchObject({ validSeconds: 14 * 86_400, maxSize: 2 ** 28 })
  expect(settings.report).toContain('{code}')
})

it('hub.json: says so where malware is not looked for', async () => {
  await using empty = await codeFolder({ README: 'no signatures' })
  await using folder = await hubJson({ CLAMAV: { DATABASE: empty.dir, PROGRAM: '/bin/true' } })
  const { settings, notices } = await load(folder.dir)
  expect(settings.scanners).toEqual([{ kind: 'manifest' }])
  expect(notices.map(({ message }) => message)).toEqual([
    `code is not scanned for malware: ${empty.dir} has no signatures of ClamAV; run \`freshclam\`, or name a folder with CLAMAV.DATABASE or --database`,
  ])
  await expect(load(folder.dir, { database: empty.dir })).rejects.toThrow('has no signatures of ClamAV')
})

it.skipIf(process.getuid?.() !== 0)('hub.json: does not take what the sandbox could not read', async () => {
  await using known = await signatures()
  await chmod(known.dir, 0o700)
  await using folder = await hubJson({ CLAMAV: { DATABASE: known.dir, PROGRAM: '/bin/true' } })
  await expect(load(folder.dir)).rejects.toThrow(
    `hub.json: CLAMAV.DATABASE, ${known.dir}, cannot be read by the sandbox, which is another user (mode 0700); run \`chmod`,
  )
})

it('hub.json: names its scanners, and what they may use', async () => {
  await using known = await signatures()
  await using folder = await hubJson({
    CLAMAV: { DATABASE: known.dir, PROGRAM: '/bin/true', TIMEOUT: '2m' },
    COMMANDS: { mine: { COMMAND: ['sh', 'x.sh'], SHOWS: ['hub.json'], MEMORY: '1GiB' } },
    VALID: '7d',
    REPORT: 'https://hub.example/{code}',
  })
  const { settings, notices } = await load(folder.dir)
  const shows = [join(folder.dir, 'hub.json')]
  expect(notices).toEqual([])
  expect(settings.scanners).toEqual([
    { kind: 'clamav', program: '/bin/true', database: known.dir, timeoutMs: 120_000, memoryBytes: 2560 * 2 ** 20 },
    { kind: 'manifest' },
    { kind: 'command', name: 'mine', command: ['sh', 'x.sh'], shows, timeoutMs: 300_000, memoryBytes: 2 ** 30 },
  ])
  const { settings: chosen } = await load(folder.dir, { scanners: ['mine'] })
  expect(chosen.scanners.map(({ kind }) => kind)).toEqual(['command'])
})

const commands = (mine: object) => ({ COMMANDS: { mine } })
const shows = (path: string) => commands({ COMMAND: ['x'], SHOWS: [path] })

it.each<[unknown, string]>([
  ['{', 'hub.json is not JSON: line 1, column 2'],
  [[], 'hub.json is []; allowed is an object'],
  [{ SCANER: ['clamav'] }, 'hub.json: SCANER (["clamav"]) is not a known key; did you mean SCANNERS?'],
  [{ SCANNERS: [] }, 'hub.json: SCANNERS is []; allowed is a list of at least one name'],
  [{ SCANNERS: ['mine'] }, 'hub.json: SCANNERS[0] is "mine"; known are "clamav", "manifest"'],
  [{ SCANNERS: ['manifest', 'manifest'] }, 'hub.json: SCANNERS[1] is there twice; keep one of them'],
  [{ SCANNERS: ['clamav'] }, 'hub.json: CLAMAV.PROGRAM is "none-of-it", which is not installed; install ClamAV'],
  [{ COMMANDS: { clamav: { COMMAND: ['x'] } } }, 'hub.json: COMMANDS.clamav has the name of a scanner'],
  [{ COMMANDS: { 'a b': { COMMAND: ['x'] } } }, 'hub.json: COMMANDS["a b"] is no name for a scanner'],
  [commands({}), 'hub.json: COMMANDS.mine.COMMAND is missing; allowed is a list'],
  [commands({ COMMAND: [] }), 'hub.json: COMMANDS.mine.COMMAND is []; allowed is a list of a program'],
  [commands({ COMAND: ['x'] }), 'hub.json: COMMANDS.mine.COMAND (["x"]) is not a known key; did you mean COMMAND?'],
  [shows('none'), 'hub.json: COMMANDS.mine.SHOWS[0] is "none", but there is no'],
  [shows('/proc/self'), 'hub.json: COMMANDS.mine.SHOWS[0] is "/proc/self", which is a place'],
  [shows('/'), 'hub.json: COMMANDS.mine.SHOWS[0] is "/", which is a place'],
  [{ VALID: '367d' }, 'hub.json: VALID is "367d"; allowed is a time like 90'],
  [{ VALID: 60 }, 'hub.json: VALID is 60; allowed is a time like 90'],
  [{ REPORT: 'ftp://x' }, 'hub.json: REPORT is "ftp://x"; allowed is an http(s) address'],
  [{ CONCURRENCY: 0 }, 'hub.json: CONCURRENCY is 0; allowed is a whole number from 1 to 16'],
  [{ KEY: 'none.pem' }, 'is not there'],
])('hub.json: %j: one sentence', async (value, sentence) => {
  const isObject = typeof value === 'object' && !Array.isArray(value)
  await using folder = await hubJson(isObject ? { CLAMAV: { PROGRAM: 'none-of-it' }, ...value } : value)
  await expect(load(folder.dir)).rejects.toThrow(sentence)
})

const secret = `0x0${'1'.repeat(63)}`
const address = formatAddress(blsSigner(Buffer.from(secret.slice(2), 'hex')).address)

it("a hub's key: is ed25519 or BLS", async () => {
  await using folder = await codeFolder(
    { 'a.pem': newKeyPem(), 'b.json': JSON.stringify({ type: 'bls12-381', secret, address, proof: '0x00' }) },
    0o600,
  )
  expect((await loadHubKey(join(folder.dir, 'a.pem'))).address.type).toBe('ed25519')
  expect(formatAddress((await loadHubKey(join(folder.dir, 'b.json'))).address)).toBe(address)
})

it.each<[string, unknown]>([
  ['is no key', { type: 'bls12-381', secret: '0x12' }],
  ['is no key', { type: 'other', secret }],
  ['no BLS12-381 scalar', { type: 'bls12-381', secret: `0x${'f'.repeat(64)}` }],
  ['no BLS12-381 scalar', { type: 'bls12-381', secret: `0x${'0'.repeat(64)}` }],
  ['the key of another address', { type: 'bls12-381', secret, address: 'other' }],
])("a hub's key: %s: one sentence without the secret", async (sentence, value) => {
  await using folder = await codeFolder({ 'k.json': JSON.stringify(value) }, 0o600)
  const error = String(await loadHubKey(join(folder.dir, 'k.json')).catch((caught: Error) => caught))
  expect(error).toContain(sentence)
  expect(error).not.toContain(secret.slice(2))
})

it("a hub's key: is not read where others may", async () => {
  await using folder = await codeFolder({ 'a.pem': newKeyPem() }, 0o600)
  await chmod(join(folder.dir, 'a.pem'), 0o644)
  await expect(loadHubKey(join(folder.dir, 'a.pem'))).rejects.toThrow('can be read by others')
  await writeFile(join(folder.dir, 'empty.pem'), '', { mode: 0o600 })
  await expect(loadHubKey(join(folder.dir, 'empty.pem'))).rejects.toThrow('is no key')
})
