import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Plan } from '../../../src/execution/index.ts'
import { swarmExecutor } from '../../fixtures/execution/executors.ts'
import { storeImage } from '../../fixtures/execution/images.ts'
import { makeRunDirs, planFor, type RunDirs, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import { type OwnSwarm, startOwnSwarm } from '../../fixtures/execution/swarm/own-swarm.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('own-swarm'))('what runs leave on the machines of a swarm', () => {
  let swarm: OwnSwarm
  let dirs: RunDirs & AsyncDisposable
  let executor: ReturnType<typeof swarmExecutor>

  const second = () => swarm.engines.second.docker
  const plan = (script: string, change?: Parameters<typeof planFor>[3]) => planFor(executor, dirs, script, change)
  const launcherOf = async ({ runId }: Plan) => {
    const all = await second().listContainers()
    const found = all.find(({ Names }) =>
      Names.some((name) => name.startsWith(`/thundercloud-${runId}-`) && name.split('.').length > 2),
    )
    if (found === undefined) throw new Error('the run has no launcher')
    return second().getContainer(found.Id)
  }
  const nothingLeft = () => until(async () => (await second().listContainers({ all: true })).length === 0, 60_000)

  beforeAll(async () => {
    swarm = await startOwnSwarm()
    dirs = await makeRunDirs()
    const constraints = [`node.id==${swarm.ids.second}`]
    executor = swarmExecutor(dirs, { docker: swarm.config, registry: swarm.registry, constraints })
    // the image is made, pushed and pulled
    await runToEnd(executor, await plan(''))
  }, 180_000)
  afterAll(async () => {
    await executor[Symbol.asyncDispose]()
    await swarm[Symbol.asyncDispose]()
    await dirs[Symbol.asyncDispose]()
  }, 60_000)

  it('an image that a service brings goes with its run, and so does that of a launcher that was killed', async () => {
    const names = async () =>
      (await second().listImages())
        .flatMap(({ RepoTags }) => RepoTags ?? [])
        .filter((name) => name.startsWith('thundercloud-image-'))
    const { codeDir: _codeDir, ...bare } = await plan('', {
      command: ['/bin/sh', '-c', 'read a < /name; echo "$a"; sleep 1000'],
      toolchain: ['docker'],
    })
    const withImage = async (runId: string) =>
      ({ ...bare, runId, image: await storeImage(join(dirs.base, runId)) }) as Plan
    const one = await withImage('image-1')
    const run = await executor.start(one)
    expect(await names()).toHaveLength(1)
    await executor.remove(run.handle)
    await nothingLeft()
    expect(await names()).toEqual([])

    const other = await withImage('image-2')
    const killed = await executor.start(other)
    await (await launcherOf(other)).kill({ signal: 'SIGKILL' })
    expect(await names()).toHaveLength(1)
    await until(async () => {
      await executor.remove(killed.handle)
      return (await names()).length === 0
    }, 60_000)
    await nothingLeft()
    const { Images = [] } = (await second().df()) as { Images?: { Id: string }[] }
    const ids = Images.map(({ Id }) => Id)
    for (const { image } of [one, other] as unknown as { image: { id: string } }[]) expect(ids).not.toContain(image.id)
  })

  it('removes a relay that was made and never started', async () => {
    const engine = swarm.engines.first.docker
    const relays = async () => {
      const all = await engine.listContainers({ all: true })
      return all.filter(({ Labels }) => Labels['thundercloud.role'] === 'relay').map(({ State }) => State)
    }
    const [relay] = (await engine.listContainers()).filter(({ Labels }) => Labels['thundercloud.role'] === 'relay')
    if (relay === undefined) throw new Error('there is no relay')
    await engine.createContainer({ Image: relay.ImageID, Labels: relay.Labels })
    expect((await relays()).toSorted()).toEqual(['created', 'running'])
    await executor.adopt()
    expect(await relays()).toEqual(['running'])
  })
})
