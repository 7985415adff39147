import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clamavScanner, manifestScanner, type Scanner } from '../../../src/hub/index.ts'
import { reportOf } from '../../../src/hub/scanner.ts'
import { makeRunDirs, type RunDirs } from '../../fixtures/execution/run-fixture.ts'
import { scanBox } from '../../fixtures/trust/scan-box.ts'
import { codeFolder, MARK, MARK_NAME, signatures } from '../../fixtures/trust/signatures.ts'
import { needs } from '../../require.ts'

const MIB = 2 ** 20
const LIMITS = { memoryBytes: 256 * MIB, timeoutMs: 30_000, maxBytes: 8 * MIB }
const HELLO_WEB = new URL('../../../configs/examples/hello-web', import.meta.url).pathname

describe.skipIf(!needs('bubblewrap'))('the scanners that come with a hub', () => {
  let dirs: RunDirs & AsyncDisposable
  let box: Awaited<ReturnType<typeof scanBox>>
  beforeAll(async () => {
    dirs = await makeRunDirs()
    box = await scanBox(dirs.base)
  })
  afterAll(() => dirs[Symbol.asyncDispose]())
  const report = async (scanner: Scanner, dir: string, service: unknown = {}) =>
    reportOf(scanner, await box.scan(scanner, dir, service))

  describe.skipIf(!needs('clamav'))('ClamAV', () => {
    let known: { dir: string } & AsyncDisposable
    let clamav: Scanner
    beforeAll(async () => {
      known = await signatures()
      clamav = clamavScanner({ ...LIMITS, program: '/usr/bin/clamscan', database: known.dir })
    })
    afterAll(() => known[Symbol.asyncDispose]())

    it('finds the mark where it is, and nothing where it is not', async () => {
      await using bad = await codeFolder({ 'server.js': 'fine', 'deep/er/file.js': `x = "${MARK}"` })
      expect(await report(clamav, bad.dir)).toEqual({
        is: 'found',
        severity: 'high',
        findings: [`clamav: deep/er/file.js: ${MARK_NAME}`],
      })
      expect(await report(clamav, HELLO_WEB)).toEqual({ is: 'clean', findings: [] })
    })

    it('says nothing of what it cannot look at whole', async () => {
      await using large = await codeFolder({ 'large.bin': 'x'.repeat(3 * MIB) })
      const small = clamavScanner({ ...LIMITS, maxBytes: MIB, program: '/usr/bin/clamscan', database: known.dir })
      expect(await report(small, large.dir)).toMatchObject({ is: 'undecided' })
      expect(await report(clamav, large.dir)).toEqual({ is: 'clean', findings: [] })
    })

    it('fails in one sentence where its signatures are none', async () => {
      await using empty = await codeFolder({ 'bad.ndb': 'this is no signature\n' })
      const broken = clamavScanner({ ...LIMITS, program: '/usr/bin/clamscan', database: empty.dir })
      const said = await report(broken, HELLO_WEB)
      expect(said.is).toBe('failed')
      expect(JSON.stringify(said)).toContain('clamav ended with exit code 2')
    })
  })

  describe('the manifest check', () => {
    const check = manifestScanner({ timeoutMs: 30_000 })
    const service = { run: { command: ['node', 'server.js'] }, network: [], toolchain: ['node.js'] }

    it('calls the example clean', async () => {
      expect(await report(check, HELLO_WEB, service)).toEqual({ is: 'clean', findings: [] })
    })

    it('tells code from description', async () => {
      await using folder = await codeFolder({ 'server.js': 'fetch("https://api.company.com/x")\n' })
      expect(await report(check, folder.dir, service)).toEqual({
        is: 'clean',
        findings: ['manifest: server.js mentions api.company.com:443, which the service does not declare'],
      })
      const other = { ...service, run: { command: ['node', 'main.js'] } }
      expect(await report(check, folder.dir, other)).toEqual({
        is: 'undecided',
        findings: ['manifest: run.command names "main.js", and the code has no such file'],
      })
      await mkdir(join(folder.dir, 'bin'))
      await writeFile(join(folder.dir, 'bin/tool'), 'x')
      await chmod(join(folder.dir, 'bin/tool'), 0o4755)
      expect(await report(check, folder.dir, other)).toMatchObject({ is: 'found', severity: 'high' })
    })

    it('fails rather than to say anything without a description', async () => {
      expect((await report(check, HELLO_WEB, 'nothing')).is).toBe('failed')
    })
  })
})
