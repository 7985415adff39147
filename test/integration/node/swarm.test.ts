import { afterAll, beforeAll, describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { type OwnSwarm, startOwnSwarm } from '../../fixtures/execution/swarm/own-swarm.ts'
import { eventually, httpGet, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { newSigner } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const TOTAL = { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 }

describe.skipIf(!needs('own-swarm'))('a node with DOCKER_CONFIGS.SWARM', () => {
  let swarm: OwnSwarm
  beforeAll(async () => {
    swarm = await startOwnSwarm()
  })
  afterAll(() => swarm?.[Symbol.asyncDispose]())

  test('runs a service on another machine, finds it again, and leaves nothing when it is drained', async ({ mesh }) => {
    const { config, registry, engines } = swarm
    const author = newSigner()
    const runner = {
      ...trustPolicyFor(author),
      ...{ PREFER_TOOLCHAIN: { docker: ['node.js'] }, LIMITS: { TOTAL, HEALTHY_SECONDS: 1 } },
      DOCKER_CONFIGS: { ...config, SWARM: true, SWARM_REGISTRY: registry, SWARM_CONSTRAINTS: ['node.role==worker'] },
    }
    const publisher = await mesh.start('publisher')
    const first = await mesh.join('worker', publisher, { runner, stopRunsOnClose: false })
    const id = await mesh.publish(publisher, { author })
    const runOn = (node: typeof first) =>
      eventually(() => {
        const { run } = node.service(id)
        expect(run).toMatchObject({ executor: 'swarm', healthy: true, restarts: 0 })
        return run
      })
    const run = await runOn(first)
    const containers = async () => {
      const found = await engines.second.docker.listContainers({ all: true })
      return found.map(({ Labels }) => Labels['thundercloud.role'] ?? 'launcher').toSorted()
    }
    expect(await containers()).toEqual(['gateway', 'launcher', 'run'])
    const visitor = await mesh.visitor(publisher, author)
    const ask = async () => {
      const pipe = await visitor.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(60_000) })
      return (await httpGet(pipe)).status
    }
    expect(await ask()).toBe(200)

    await mesh.stop('worker')
    const second = await mesh.start('worker')
    expect((await runOn(second))?.runId).toBe(run?.runId)
    expect(await eventually(ask)).toBe(200)

    second.drain({ deadlineMs: 0 })
    await eventually(() => expect(second.drainView()).toMatchObject({ done: true, cut: [{ id }] }))
    await eventually(async () => expect(await containers()).toEqual([]))
    expect(await engines.first.docker.listServices()).toEqual([])
    expect(await engines.first.docker.listSecrets()).toEqual([])
  }, 300_000)
})
