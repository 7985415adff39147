import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { loadManifest, SERVICE_TEMPLATES, type ServiceTemplate } from '../../../src/config/index.ts'
import type { LightPeer, ThundercloudNode } from '../../../src/node/index.ts'
import { httpGet, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { openShell } from '../../fixtures/program/shell.ts'
import { needs } from '../../require.ts'

/** What shows that it works: an answer at a path, or a line of its log. */
const SHOWS: Readonly<Record<ServiceTemplate, { path: string; status: number; body: string } | { line: string }>> = {
  web: { path: '/there', status: 200, body: 'Hello from /there' },
  static: { path: '/', status: 200, body: '<h1>Hello</h1>' },
  task: { line: '10 squares are in result.json' },
  cron: { line: 'it is 2' },
  database: { path: '/nothing', status: 404, body: '' },
}

describe.skipIf(!needs('bubblewrap'))('what `service new --template` writes', () => {
  const author = newSigner()
  const shell = openShell()
  let publisher: ThundercloudNode
  let worker: ThundercloudNode
  let visitor: LightPeer

  test.beforeAll(async ({ fileMesh: mesh }) => {
    publisher = await mesh.start('publisher-templates')
    const TOTAL = { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 }
    const LIMITS = { TOTAL, HEALTHY_SECONDS: 1, RESULTS: { BYTES: '16MiB' } }
    const runner = { ...trustPolicyFor(author), LIMITS, PREFER_TOOLCHAIN: { host: ['node.js'] } }
    worker = await mesh.join('worker-templates', publisher, { runner })
    visitor = await mesh.visitor(publisher, author)
  })
  test.afterAll(async () => {
    await visitor?.[Symbol.asyncDispose]()
    shell[Symbol.dispose]()
  })

  test.for(SERVICE_TEMPLATES)('%s: runs as it is', async (template, { fileMesh: mesh }) => {
    expect(await shell.run(`service new my-${template} --template ${template}`)).toMatchObject({ code: 0 })
    const folder = shell.path(`my-${template}`)
    const { name, toolchain, run, resources } = await loadManifest(`${folder}/service.json`)
    const code = await addFolder(publisher, folder)
    const id = await mesh.publish(publisher, { author, name, code, toolchain, run, resources })
    const shows = SHOWS[template]
    await stateOf(worker, id, run.kind === 'task' ? 'done' : 'running', 90_000)
    if ('line' in shows) {
      const lines = await Array.fromAsync(worker.logs(id, { tail: 10, follow: false }))
      expect(lines.map(({ line }) => line).join('\n')).toContain(shows.line)
    } else {
      const pipe = await visitor.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(30_000) })
      const { path, ...answer } = shows
      expect(await httpGet(pipe, path)).toMatchObject({ ...answer, body: expect.stringContaining(answer.body) })
    }
    await worker.stop(id)
  })
})
