import { execFileSync } from 'node:child_process'
import { basename, dirname } from 'node:path'
import { describe, expect } from 'vitest'
import { listFolder } from '../../../src/code/index.ts'
import { codeOfEntries, sourceServer } from '../../fixtures/code/source-server.ts'
import { eventually, ON_HOST, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const runner = { ...ON_HOST, ...trustPolicyFor(author), ALLOWED_STORAGE: ['127.0.0.1'] }

/** hello-web as a person would pack it, and what it is as code. */
async function helloWeb() {
  const name = basename(HELLO_WEB)
  const archive = execFileSync('tar', ['czf', '-', name], { cwd: dirname(HELLO_WEB) })
  return { archive, path: name, code: (await codeOfEntries(await listFolder(HELLO_WEB))).toString() }
}

describe.skipIf(!needs('bubblewrap'))('code that no peer has', () => {
  test('is downloaded once; the next node has it from the first, when server and publisher are gone', async ({
    mesh,
  }) => {
    const { archive, path, code } = await helloWeb()
    const { url, asked, close } = await sourceServer(() => ({ '/hello.tgz': archive }))
    const publisher = await mesh.start('publisher')
    const second = await mesh.join('second', publisher, { runner })
    const sources = [{ type: 'mesh' }, { type: 'https', url: `${url}/hello.tgz`, path }]
    const id = await mesh.publish(publisher, { author, code, sources, replicas: 2 })
    await stateOf(second, id, 'running')
    expect(asked).toEqual(['/hello.tgz'])
    const origin = () =>
      publisher
        .service(id)
        .receipts.flatMap(({ reasons }) => reasons)
        .find(({ rule }) => rule === 'code:origin')
    await eventually(() =>
      expect(origin()?.message).toMatch(/^https: .* in .* \(http:\/\/127\.0\.0\.1:\d+\/hello\.tgz\)$/),
    )
    await close()
    const late = await mesh.join('late', second, { runner })
    await mesh.stop('publisher')
    await stateOf(late, id, 'running')
    expect(asked).toEqual(['/hello.tgz'])
  })

  test('a run that waits for its code says which source failed', async ({ mesh }) => {
    const { code } = await helloWeb()
    const { url } = await sourceServer(() => ({}))
    const publisher = await mesh.start('publisher')
    const second = await mesh.join('second', publisher, { runner })
    const id = await mesh.publish(publisher, { author, code, sources: [{ type: 'https', url: `${url}/gone.tgz` }] })
    await eventually(() => expect(second.service(id).run?.detail).toMatch(/answers 404 for \/gone\.tgz$/))
    expect(second.service(id).run?.state).toBe('fetching')
  })

  test('a source that is refused is named, with the one that is tried next', async ({ mesh }) => {
    const { archive, path, code } = await helloWeb()
    const { url, asked } = await sourceServer(() => ({ '/wrong.tgz': archive, '/hello.tgz': archive }))
    const publisher = await mesh.start('publisher')
    const second = await mesh.join('second', publisher, { runner })
    const sources = [
      { type: 'https', url: `${url}/wrong.tgz` },
      { type: 'https', url: `${url}/hello.tgz`, path },
    ]
    const id = await mesh.publish(publisher, { author, code, sources })
    await stateOf(second, id, 'running')
    expect(asked).toEqual(['/wrong.tgz', '/hello.tgz'])
    const reasons = () => publisher.service(id).receipts.flatMap((receipt) => receipt.reasons)
    await eventually(() =>
      expect(reasons()).toContainEqual(
        expect.objectContaining({
          rule: 'code:origin',
          outcome: 'fail',
          message: expect.stringMatching(/wrong\.tgz has other files: .*; next: .*hello\.tgz$/),
        }),
      ),
    )
    expect((await second.explain(id)).code).toEqual({
      ...{ code, state: 'complete', bytes: expect.any(Number) },
      provenance: { from: 'https', source: `${url}/hello.tgz`, at: expect.any(Number), ms: expect.any(Number) },
      failures: [
        {
          source: `${url}/wrong.tgz`,
          problem: expect.stringContaining('wrong.tgz has other files: '),
          next: `${url}/hello.tgz`,
        },
      ],
    })
  })

  test('what the sources of one author said is told of no service of another; it goes with the code', async ({
    mesh,
  }) => {
    const { archive, path, code } = await helloWeb()
    const { url } = await sourceServer(() => ({ '/hello.tgz': archive }))
    const publisher = await mesh.start('publisher')
    const other = newSigner()
    const ROOTS = { ...trustPolicyFor(author).TRUST_TREE.ROOTS, ...trustPolicyFor(other).TRUST_TREE.ROOTS }
    const second = await mesh.join('second', publisher, { runner: { ...runner, TRUST_TREE: { ROOTS } } })
    const sources = ['gone', 'hello'].map((name) => ({ type: 'https', url: `${url}/${name}.tgz`, path }))
    const first = await mesh.publish(publisher, { author, code, sources })
    await stateOf(second, first, 'running')
    const later = await mesh.publish(publisher, { author: other, code, sources: [{ type: 'mesh' }] })
    await stateOf(second, later, 'running')
    const told = async (id: string) => {
      const reasons = (await publisher.ask(id)).flatMap((receipt) => receipt.reasons)
      return reasons.filter(({ rule }) => rule === 'code:origin').map(({ outcome }) => outcome)
    }
    expect(await told(first)).toEqual(['pass', 'fail'])
    expect(await told(later)).toEqual([])
    const failures = async (id: string) => (await second.explain(id)).code.failures.length
    expect([await failures(first), await failures(later)]).toEqual([1, 0])
    await Promise.all([first, later].map((id) => second.stop(id)))
    await eventually(async () => expect(await second.code.gc()).toMatchObject([{ code }]))
    expect((await second.explain(first)).code).toEqual({ code, state: 'absent', failures: [] })
  })
})
