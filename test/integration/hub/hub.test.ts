import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { once } from '../../../src/base/events.ts'
import { type HubSettings, loadHub } from '../../../src/config/index.ts'
import { clamavScanner, manifestScanner, type Scanner } from '../../../src/hub/index.ts'
import { reportOf } from '../../../src/hub/scanner.ts'
import type { NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { type Mesh, RUNS_NOTHING, test } from '../../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { scanBox } from '../../fixtures/trust/scan-sandbox.ts'
import { codeFolder, MARK, MARK_NAME, signatures } from '../../fixtures/trust/signatures.ts'
import { needs } from '../../require.ts'

const MIB = 2 ** 20
const LIMITS = { program: '/usr/bin/clamscan', memoryBytes: 256 * MIB, timeoutMs: 30_000, maxBytes: 8 * MIB }

describe.skipIf(!needs('bubblewrap'))('the scanners that come with a hub', () => {
  const dirs = runDirs()
  let box: Awaited<ReturnType<typeof scanBox>>
  beforeAll(async () => {
    box = await scanBox(dirs.base)
  })
  const report = async (scanner: Scanner, dir: string, service: unknown = {}) =>
    reportOf(scanner, await box.scan(scanner, dir, service))

  describe.skipIf(!needs('clamav'))('ClamAV', () => {
    let known: Awaited<ReturnType<typeof signatures>>
    let clamav: Scanner
    beforeAll(async () => {
      known = await signatures()
      clamav = clamavScanner({ ...LIMITS, database: known.dir })
    })
    afterAll(() => known[Symbol.asyncDispose]())

    it('finds the mark where it is, and nothing where it is not', async () => {
      await using bad = await codeFolder({ 'server.js': 'fine', 'deep/er/file.js': `x = "${MARK}"` })
      const findings = [`clamav: deep/er/file.js: ${MARK_NAME}`]
      expect(await report(clamav, bad.dir)).toEqual({ is: 'found', severity: 'high', findings })
      expect(await report(clamav, HELLO_WEB)).toEqual({ is: 'clean', findings: [] })
    })

    it('says nothing of what it cannot look at whole', async () => {
      await using large = await codeFolder({ 'large.bin': 'x'.repeat(3 * MIB) })
      const small = clamavScanner({ ...LIMITS, maxBytes: MIB, database: known.dir })
      expect(await report(small, large.dir)).toMatchObject({ is: 'undecided' })
      expect(await report(clamav, large.dir)).toEqual({ is: 'clean', findings: [] })
    })

    it('fails in one sentence where its signatures are none', async () => {
      await using empty = await codeFolder({ 'bad.ndb': 'this is no signature\n' })
      const broken = clamavScanner({ ...LIMITS, database: empty.dir })
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
      const undeclared = 'manifest: server.js mentions api.company.com:443, which the service does not declare'
      expect(await report(check, folder.dir, service)).toEqual({ is: 'clean', findings: [undeclared] })
      const other = { ...service, run: { command: ['node', 'main.js'] } }
      const missing = 'manifest: run.command names "main.js", and the code has no such file'
      expect(await report(check, folder.dir, other)).toEqual({ is: 'undecided', findings: [missing] })
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

const SECONDS = 60_000

describe.skipIf(!needs('bubblewrap') || !needs('clamav'))('a hub that watches', () => {
  let known: { dir: string } & AsyncDisposable
  let work: string
  beforeAll(async () => {
    known = await signatures()
    work = await mkdtemp(join(tmpdir(), 'tc-watch-'))
  })
  afterAll(async () => {
    await known[Symbol.asyncDispose]()
    await rm(work, { recursive: true, force: true })
  })

  /** hello-web, and another file in it. */
  async function variant(name: string, text: string): Promise<string> {
    const dir = join(work, name)
    await cp(HELLO_WEB, dir, { recursive: true })
    await writeFile(join(dir, 'more.js'), text)
    return dir
  }

  const examined = (hub: ThundercloudNode, code: string) =>
    once<NodeEvents, 'hub:examined'>(hub.events, 'hub:examined', {
      where: (detail) => detail.code === code,
      signal: AbortSignal.timeout(SECONDS),
    })

  test('calls what its scanners find unsafe, and the rest safe; who trusts it runs the one and not the other', async ({
    mesh,
  }) => {
    const hub = await startHub(mesh, RUNS_NOTHING)
    const trusting = { TRUSTED_HUBS: { [hub.address]: { WEIGHT: 1 } }, QUORUM: { HUBS: 1 } }
    const a = await mesh.join('a', hub, { runner: trusting })
    const b = await mesh.join('b', [hub, a], { runner: trusting })
    const author = newSigner()
    const publish = async (name: string, text: string) => {
      const code = await addFolder(a, await variant(name, text))
      const said = examined(hub, code)
      const id = await mesh.publish(a, { author, code, name, replicas: 2, asPublisher: false })
      return { code, id, said }
    }
    const clean = await publish('clean', '// nothing here\n')
    const marked = await publish('marked', `// ${MARK}\n`)

    expect(await clean.said).toMatchObject({ verdict: 'safe', findings: [] })
    expect(await marked.said).toMatchObject({ verdict: 'unsafe', severity: 'high' })
    for (const node of [a, b]) await stateOf(node, clean.id, 'running', SECONDS)
    for (const node of [a, b]) {
      await expect.poll(() => node.statements({ code: marked.code }).map(({ verdict }) => verdict)).toEqual(['unsafe'])
      expect(node.service(marked.id).run).toBeUndefined()
      expect(['refused', 'parked']).toContain(node.service(marked.id).state)
      expect(node.service(clean.id).state).toBe('running')
    }
    // the hub's own runner refuses everything, which is no matter
    expect(hub.services().map(({ run }) => run)).toEqual([undefined, undefined])
  })

  test('does not examine again what it gave its word on, also after a restart', async ({ mesh }) => {
    const first = await startHub(mesh, {})
    const author = newSigner()
    const publish = async (hub: ThundercloudNode, name: string) => {
      const code = await addFolder(hub, await variant(name, `// ${name}\n`))
      const said = examined(hub, code)
      await mesh.publish(hub, { author, code, name })
      await said
      return code
    }
    const code = await publish(first, 'early')
    const words = first.statements()
    expect(words.some((word) => word.code === code)).toBe(true)
    await mesh.stop('hub')
    const again = await startHub(mesh, {})
    // one at a time: what is examined again comes before it
    const late = await publish(again, 'late')
    expect(again.statements().filter((word) => word.code !== late)).toEqual(words)
  })

  async function startHub(mesh: Mesh, runner: Record<string, unknown>): Promise<ThundercloudNode> {
    const overrides = { scanners: ['clamav', 'manifest'], database: known.dir }
    const { settings } = await loadHub(work, { env: process.env, overrides })
    return mesh.start('hub', { runner, hub: settings satisfies HubSettings })
  }
})
