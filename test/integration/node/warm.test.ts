import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { once } from '../../../src/base/events.ts'
import { test as base, eventually, ON_HOST, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, newSigner } from '../../fixtures/node/nodes.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const TOTAL = { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 }
const CLASS = { COUNT: 1, MEMORY: '96MiB', DISK: '8MiB', PIDS: 32 }
const author = newSigner()

/** A node, and how the run of a new service begins there. */
const test = base.extend('starts', async ({ mesh }) => {
  const LIMITS = { TOTAL, WARM: { 'node.js': [CLASS], GATEWAYS: 1 } }
  const node = await mesh.start('node', { runner: { ...trustPolicyFor(author), ...ON_HOST, LIMITS } })
  const dir = await tempDir()
  await writeFile(join(dir, 'main.js'), 'console.log("here")')
  const code = await addFolder(node, dir)
  let services = 0
  const begin = async (change: object = {}) => {
    const where = ({ state }: { state: string }) => state === 'running'
    const running = once(node.events, 'execution:state', { where })
    const run = { command: ['node', 'main.js'], kind: 'task' }
    const id = await mesh.publish(node, {
      author,
      code,
      name: `task-${services++}`,
      run,
      asPublisher: false,
      ...change,
    })
    const { detail } = await running
    await eventually(() => expect(node.service(id).run?.state).toBe('exited'))
    return detail
  }
  const change = async (keys: object) => {
    await writeFile(mesh.policyFile('node'), await mesh.policyWith('node', keys))
    await node.reload()
  }
  const idle = async () =>
    (await readdir(join(mesh.dir('node'), 'data/runs'))).filter((name) => name.startsWith('warm-')).length
  return { node, begin, change, idle }
})

describe.skipIf(!needs('bubblewrap') || !needs('root'))('a node with LIMITS.WARM', () => {
  test('says how each run began, and keeps nothing warm when the policy wants nothing', async ({ starts }) => {
    // until what the node makes at its start is idle
    await eventually(async () => expect(await starts.begin()).toBe('warm start'))
    const resources = { memory: '80MiB', disk: '8MiB', cpu: '0.5', pids: 32 }
    const why = 'its program started cold: LIMITS.WARM has no class with its grant: memory 80 MiB, disk 8 MiB, pids 32'
    await eventually(async () => expect(await starts.begin({ resources })).toBe(`its gateway was warm, ${why}`))
    await starts.change({ LIMITS: { TOTAL, WARM: { 'node.js': [CLASS] } } })
    await eventually(async () =>
      expect(await starts.begin({ resources })).toMatch(/^cold start: LIMITS.WARM has no class/),
    )
    await starts.change({ LIMITS: { TOTAL } })
    expect(await starts.begin()).toBeUndefined()
  })

  test('keeps nothing warm while it is drained', async ({ starts }) => {
    await eventually(async () => expect(await starts.idle()).toBe(2))
    starts.node.drain()
    await eventually(async () => expect(await starts.idle()).toBe(0))
    starts.node.undrain()
    await eventually(async () => expect(await starts.idle()).toBe(2))
  })
})
