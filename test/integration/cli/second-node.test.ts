import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { START_ASK_MS } from '../../../src/cli/backup/refuse-duplicate-node.ts'
import { createLightPeer } from '../../../src/node/index.ts'
import { freePort } from '../../fixtures/net.ts'
import { createWorld, PATIENCE } from '../../fixtures/node/nodes.ts'
import { openShell } from '../../fixtures/program/shell.ts'
import { system } from '../../fixtures/system.ts'

/** The mesh has its time to answer, however slow the machine is. */
const clock: Clock = {
  ...system.clock,
  after: (ms, run) => system.clock.after(ms === START_ASK_MS ? PATIENCE : ms, run),
}
const STARTED = 'the copy starts'
const factories = {
  lightPeer: createLightPeer,
  node: async () => {
    throw new Error(STARTED)
  },
}

test('a node does not start while another one with its key answers, and no stranger can pretend to be that one', async ({
  onTestFinished,
}) => {
  const world = await createWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  const shell = openShell()
  onTestFinished(() => shell[Symbol.dispose]())
  const node = { LISTEN: [`/ip4/127.0.0.1/tcp/${await freePort()}`] }
  const original = await world.start('original', { node })
  const neighbour = await world.start('neighbour', { runner: { STATIC_NODES: original.multiaddrs() } })
  const copy = shell.path('copy')
  await cp(world.dir('original'), copy, { recursive: true, filter: (path) => !path.endsWith('/data') })
  const joining = async (STATIC_NODES: readonly string[]) => {
    const file = join(copy, 'runners/andromeda/config.json')
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), STATIC_NODES }))
  }
  const start = () => shell.run(['start', 'copy'], { factories, clock })

  await joining(neighbour.multiaddrs())
  await expect.poll(start, { timeout: PATIENCE }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`another node with this key (${original.peerId}) answers on its mesh`),
  })

  // a node with another key at the address that the mesh knows for it
  await world.stop('original')
  await world.start('stranger', { node, runner: { STATIC_NODES: neighbour.multiaddrs() } })
  expect((await start()).stderr).toContain(STARTED)

  // no node of the mesh can be asked
  await world.stopAll()
  expect((await start()).stderr).toContain(STARTED)
})
