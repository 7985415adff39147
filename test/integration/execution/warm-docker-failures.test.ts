import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { LOCAL_SOCKET } from '../../../src/execution/docker/address.ts'
import { EngineGoneError } from '../../../src/execution/errors.ts'
import { startEngineProxy } from '../../fixtures/execution/engine-proxy.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { makeRunDirs, planFor, type RunDirs, until } from '../../fixtures/execution/run-fixture.ts'
import {
  CLEAN,
  containersOf,
  leftOf,
  mountsIn,
  NOTHING,
  ONE_PROGRAM,
  warmDocker,
} from '../../fixtures/execution/warm-docker.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const docker = new Docker()

describe.skipIf(!needs('engine') || !needs('root'))('containers that are kept warm, where something fails,', () => {
  let dirs: RunDirs & AsyncDisposable
  beforeEach(async () => {
    dirs = await makeRunDirs()
  })
  afterEach(async () => {
    const after = warmDocker(dirs)
    for (const { run } of await after.adopt()) await after.remove(run.handle)
    await after[Symbol.asyncDispose]()
    await dirs[Symbol.asyncDispose]()
  })

  it('are removed when the engine is back that went away while a run began in one', async () => {
    let away = false
    await using proxy = await startEngineProxy(join(dirs.base, 'engine'), (request, close) => {
      away ||= request.includes('/rename?')
      if (away) close()
      return !away
    })
    await using behind = warmDocker(dirs, { docker: { socketPath: proxy.path } })
    await behind.keepWarm?.(ONE_PROGRAM)
    const plan = await planFor(behind, dirs, '')
    await expect(behind.start(plan)).rejects.toThrow(EngineGoneError)
    expect(await containersOf(dirs)).toHaveLength(2)
    away = false
    expect(await behind.adopt()).toEqual([])
    await behind.remove(behind.handle(plan))
    await behind.keepWarm?.(NOTHING)
    expect(await containersOf(dirs)).toEqual([])
    await behind[Symbol.asyncDispose]()
    expect(await leftOf(dirs)).toMatchObject(CLEAN)
  })

  it('never begin a run that their node gave up, however late they read the order', async () => {
    const { clock } = system
    const impatient: Clock = { ...clock, after: (ms, act) => clock.after(ms === 30_000 ? 2000 : ms, act) }
    let renamed: string | undefined
    let ordered = false
    let taken: boolean | undefined
    await using proxy = await startEngineProxy(join(dirs.base, 'engine'), async (request) => {
      ordered ||= renamed !== undefined && request.endsWith(renamed)
      if (!ordered || taken !== undefined || !request.startsWith('DELETE ')) return true
      // the node gave it up, and the engine has not removed it yet
      const [folder = ''] = await readdir(join(dirs.runtime, 'warm'))
      const isTaken = () => existsSync(join(dirs.runtime, 'warm', folder, 'code', 'taken'))
      taken = false
      await container.unpause()
      await until(async () => isTaken() || !(await container.inspect()).State.Running)
      taken = isTaken()
      return true
    })
    await using node = warmDocker(dirs, { docker: { socketPath: proxy.path } }, impatient)
    await node.keepWarm?.(ONE_PROGRAM)
    const [program] = (await containersOf(dirs)).filter(({ name }) => !name.endsWith('-gateway'))
    const container = docker.getContainer(program?.id ?? '')
    await container.pause()
    const plan = await planFor(node, dirs, 'console.log("here")')
    renamed = `/rename?name=thundercloud-${plan.runId}`
    const begun = await node.start(plan)
    expect(begun.start).toBe('cold start: a warm container failed')
    expect((await begun.wait()).exitCode).toBe(0)
    expect(taken).toBe(false)
    await node.remove(begun.handle)
  })

  it('are let alone by an executor of an engine elsewhere, whose folder for sockets is the same', async () => {
    await using executor = warmDocker(dirs)
    await executor.keepWarm?.(ONE_PROGRAM)
    const before = await mountsIn(dirs)
    const agent = new Agent()
    Object.assign(agent, { createConnection: () => connect(LOCAL_SOCKET) })
    const elsewhere = dockerExecutor(dirs, {
      docker: { through: { agent, name: 'elsewhere' } },
      nodeId: `${basename(dirs.base)}-elsewhere`,
    })
    await elsewhere.keepWarm?.(ONE_PROGRAM)
    await elsewhere.adopt()
    await elsewhere[Symbol.asyncDispose]()
    expect([before.length, await mountsIn(dirs)]).toEqual([2, before])
    const begun = await executor.start(await planFor(executor, dirs, ''))
    expect([begun.start, (await begun.wait()).exitCode]).toEqual(['warm start', 0])
    await executor.remove(begun.handle)
  })
})
