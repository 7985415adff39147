import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createDockerExecutor, type DockerExecutorInit, RunRefusedError } from '../../../src/execution/index.ts'
import { startRegistry } from '../../fixtures/execution/images.ts'
import { makeRunDirs, planFor, type RunDirs, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('engine'))('images', () => {
  const engine = new Docker()
  const pulled: string[] = []
  let dirs: RunDirs & AsyncDisposable
  beforeAll(async () => {
    dirs = await makeRunDirs()
  })
  afterEach(async () => {
    for (const name of pulled.splice(0))
      await engine
        .getImage(name)
        .remove({ force: true })
        .catch(() => {})
  })
  afterAll(() => dirs[Symbol.asyncDispose]())

  const over = (change: Partial<DockerExecutorInit>) => {
    const logs = { maxBytes: 100_000, keep: 1 }
    const init = {
      docker: {},
      nodeId: `images-${process.pid}`,
      runtimeDir: dirs.runtime,
      toolchains: {},
      registries: [],
      logs,
    }
    return createDockerExecutor({ clock: systemClock(), log: silentLog() }, { ...init, ...change })
  }
  const imagePlan = async (executor: ReturnType<typeof over>, digest: string, ref?: string) => {
    const { codeDir: _codeDir, ...plan } = await planFor(executor, dirs, '', {
      command: ['/bin/sh', '-c', 'read a < /name; echo "$a"; pwd'],
      toolchain: ['docker'],
    })
    return { ...plan, image: { digest, ref } }
  }

  it('are pulled by digest from the operator’s registry, once', async () => {
    await using registry = await startRegistry()
    const executor = over({ registries: [registry.origin] })
    const name = `${new URL(registry.origin).host}/${registry.path}@${registry.digest}`
    pulled.push(name)
    // The reference names another host: only the operator's registries are asked.
    const plan = await imagePlan(executor, registry.digest, `registry.example.org/${registry.path}:latest`)
    const { end, out } = await runToEnd(executor, plan)
    expect({ end, out: out[0] }).toMatchObject({
      end: { exitCode: 0 },
      out: expect.stringContaining(`made by ${process.pid}`),
    })
    const asked = registry.asked.length
    expect(asked).toBeGreaterThan(0)
    await runToEnd(executor, await imagePlan(executor, registry.digest, registry.path))
    expect(registry.asked.length).toBe(asked)
  })

  it('that are not what their digest says are refused', async () => {
    await using registry = await startRegistry({ spoilt: true })
    const executor = over({ registries: [registry.origin] })
    await expect(executor.start(await imagePlan(executor, registry.digest, registry.path))).rejects.toThrow(
      /could not be pulled/,
    )
    expect(await executor.adopt()).toEqual([])
  })

  it('that are nowhere are refused, with what would help', async () => {
    const digest = `sha256:${'a'.repeat(64)}`
    const executor = over({})
    await expect(executor.start(await imagePlan(executor, digest))).rejects.toThrow(/names no reference/)
    await expect(executor.start(await imagePlan(executor, digest, 'nginx'))).rejects.toThrow(
      /REGISTRIES\.DOCKER names no registry/,
    )
    await expect(executor.start(await planFor(executor, dirs, '', { toolchain: ['cobol'] }))).rejects.toThrow(
      RunRefusedError,
    )
    const unknown = over({
      registries: ['http://127.0.0.1:9'],
      toolchains: { cobol: { image: '127.0.0.1:9/no/such:image' } },
    })
    await expect(unknown.start(await planFor(unknown, dirs, '', { toolchain: ['cobol'] }))).rejects.toThrow(
      /no image "127\.0\.0\.1:9\/no\/such:image"/,
    )
  })

  it('of our own Node run by their id', async () => {
    const executor = over({ toolchains: { 'node.js': { image: 'thundercloud/node' } } })
    await runToEnd(executor, await planFor(executor, dirs, ''))
    const { Id } = await engine.getImage(`thundercloud/node:${process.versions.node}-${process.arch}`).inspect()
    const plan = { ...(await imagePlan(executor, Id)), command: ['node', '-p', 'process.version'] }
    expect((await runToEnd(executor, plan)).out).toEqual([process.version])
  })
})
