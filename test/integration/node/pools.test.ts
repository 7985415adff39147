import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { checkExecutors } from '../../../src/cli/checks/machine.ts'
import { loadConfiguration } from '../../../src/config/index.ts'
import { eventually, httpGet, ON_HOST, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { HELLO_WEB, newSigner, PATIENCE, stateOf } from '../../fixtures/node/nodes.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const NAME = `web-${formatAddress(author.address)}-node`
const LIMITS = { image: 'thundercloud/node', memoryBytes: 512 * 2 ** 20, cpuMillicores: 2000, pids: 256 }
const runner = { ...ON_HOST, ...trustPolicyFor(author), CONTAINERS: [NAME] }

describe.skipIf(!needs('engine') || !needs('bubblewrap'))("a pool of an author's", () => {
  test('takes the services of that author, keeps them over a restart of the node, and lets them go', async ({
    mesh,
  }) => {
    const first = await mesh.start('first')
    let second = await mesh.join('second', first, { runner, stopRunsOnClose: false })
    const ruleOf = async (id: string) =>
      (await second.explain(id)).verdict.reasons.find(({ rule }) => rule === 'containers')?.message
    await second.pools.create({ name: NAME, ...LIMITS })
    try {
      const id = await mesh.publish(first, { author })
      await stateOf(second, id, 'running')
      expect(await ruleOf(id)).toBe(`it runs in the pool ${NAME}`)
      expect(second.service(id).run).toMatchObject({ executor: 'pool', healthy: true })
      expect(await second.pools.list()).toMatchObject([{ name: NAME, services: [id] }])
      const friend = await mesh.visitor(first, author)
      const { body } = await httpGet(await friend.connect(parseCid(id), 'http'))
      expect(JSON.parse(body)).toMatchObject({ service: 'hello-web' })

      const before = second.service(id).run
      await mesh.stop('second')
      second = await mesh.start('second')
      await stateOf(second, id, 'running')
      expect(second.service(id).run).toMatchObject({ runId: before?.runId, restarts: 0, since: before?.since })

      const { changes } = await second.applyPolicy(await mesh.policyWith('second', { CONTAINERS: [] }))
      expect(changes).toMatchObject([{ id, from: 'run', to: 'parked' }])
      const why = 'does not grant it a run in a pool any more: it ends, and gets a run on the host'
      expect((await second.explain(id)).verdict.reasons[0]?.message).toContain(why)
      await eventually(() => expect(second.service(id).run).toMatchObject({ executor: 'host', healthy: true }))
      expect(await second.pools.list()).toMatchObject([{ name: NAME, services: [] }])
    } finally {
      await second.pools.remove(NAME, { force: true })
    }
  })

  test("takes the operator's own services too", async ({ mesh }) => {
    let node = await mesh.start('own', { runner: ON_HOST })
    const name = `own-${node.address}-node`
    await node.pools.create({ name, ...LIMITS })
    try {
      await mesh.stop('own')
      await writeFile(mesh.policyFile('own'), await mesh.policyWith('own', { CONTAINERS: [name] }))
      await writeFile(
        join(mesh.dir('own'), 'services.json'),
        JSON.stringify({ SERVICES: { 'hello-web': { DIR: HELLO_WEB } } }),
      )
      node = await mesh.start('own')
      await eventually(() => expect(node.services()[0]?.run).toMatchObject({ executor: 'pool', healthy: true }))

      const doctor = async () => {
        const { configuration } = await loadConfiguration(mesh.dir('own'))
        const asked = { env: process.env, rng: system.rng, signal: AbortSignal.timeout(PATIENCE), peerId: node.peerId }
        return (await checkExecutors(system.clock, configuration, asked)).checks.find(({ what }) => what === 'pools')
      }
      const found = expect.stringContaining('1 pool in the Docker engine')
      expect(await doctor()).toMatchObject({ outcome: 'ok', found })
      await writeFile(mesh.policyFile('own'), await mesh.policyWith('own', { CONTAINERS: [name, NAME] }))
      expect(await doctor()).toMatchObject({
        outcome: 'warn',
        found: expect.stringMatching(new RegExp(`^CONTAINERS names ${NAME}; there is no such pool; 1 pool in`)),
        advice: `make it: thundercloud pool create ${NAME} --image IMAGE`,
      })
    } finally {
      await node.pools.remove(name, { force: true })
    }
  })
})
