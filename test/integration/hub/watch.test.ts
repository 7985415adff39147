import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { once } from '../../../src/base/events.ts'
import { type HubSettings, loadHub } from '../../../src/config/index.ts'
import type { NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { type Mesh, RUNS_NOTHING, test } from '../../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { MARK, signatures } from '../../fixtures/trust/signatures.ts'
import { needs } from '../../require.ts'

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
    const trusting = {
      TRUSTED_HUBS: { [hub.address]: { WEIGHT: 1 } },
      QUORUM: { HUBS: 1 },
    }
    const a = await mesh.join('a', hub, { runner: trusting })
    const b = await mesh.join('b', [hub, a], { runner: trusting })
    const author = newSigner()
    const publish = async (name: string, text: string) => {
      const code = await addFolder(a, await variant(name, text))
      const said = examined(hub, code)
      const id = await mesh.publish(a, { author, code, name, asPublisher: false })
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
    // one at a time: who is examined again comes before it
    const late = await publish(again, 'late')
    expect(again.statements().filter((word) => word.code !== late)).toEqual(words)
  })

  async function startHub(mesh: Mesh, runner: Record<string, unknown>): Promise<ThundercloudNode> {
    const { settings } = await loadHub(work, {
      env: process.env,
      overrides: { scanners: ['clamav', 'manifest'], database: known.dir },
    })
    return mesh.start('hub', { runner, hub: settings satisfies HubSettings })
  }
})
