import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { findToolchain, toolchains } from '../../../src/config/files/toolchains.ts'
import type { LightPeer, ThundercloudNode } from '../../../src/node/index.ts'
import { httpGet, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const EXAMPLES = new URL('../../../configs/examples/', import.meta.url)
const HELLO = [
  ['node.js', 'hello-web', 'Hello from the cloud'],
  ['python', 'toolchains/hello-python', 'Hello from Python'],
  ['c', 'toolchains/hello-c', 'Hello from C'],
  ['c++', 'toolchains/hello-cpp', 'Hello from C++'],
  ['rust', 'toolchains/hello-rust', 'Hello from Rust'],
  ['go', 'toolchains/hello-go', 'Hello from Go'],
] as const

/** Where a toolchain may be: among the programs that a sandbox shows, or an image of the engine. */
const EXECUTORS = [
  {
    executor: 'host',
    need: 'bubblewrap',
    has: (toolchain: string) => toolchain === 'node.js' || existsSync(`/usr/bin/${findToolchain(toolchain)?.program}`),
  },
  { executor: 'docker', need: 'engine', has: (toolchain: string) => toolchain === 'node.js' || hasImage(toolchain) },
] as const

const hasImage = (toolchain: string) =>
  spawnSync('docker', ['image', 'inspect', findToolchain(toolchain)?.image ?? '']).status === 0
const manifestOf = async (folder: string) =>
  JSON.parse(await readFile(new URL(`${folder}/service.json`, EXAMPLES), 'utf8'))

test('each toolchain has an example', async () => {
  expect(HELLO.map(([name]) => name).toSorted()).toEqual(toolchains.map(({ name }) => name).toSorted())
  for (const [toolchain, folder] of HELLO) expect(await manifestOf(folder)).toMatchObject({ toolchain: [toolchain] })
})

test('each toolchain has a recipe for its image, but the one that the node makes itself', async () => {
  const recipes = await readFile(new URL('../images/Dockerfile', EXAMPLES), 'utf8')
  const built = [...recipes.matchAll(/docker build --target (\S+) +-t (\S+)/g)].map(([, target, image]) => ({
    target,
    image,
  }))
  const wanted = new Set(toolchains.map(({ image }) => image).filter((image) => image !== 'thundercloud/node'))
  expect(new Set(built.map(({ image }) => image))).toEqual(wanted)
  for (const { target } of built) expect(recipes).toContain(`FROM base AS ${target}\n`)
})

describe.for(EXECUTORS)('the example of each toolchain that is here: $executor', ({ executor, need, has }) => {
  const author = newSigner()
  let publisher: ThundercloudNode
  let worker: ThundercloudNode
  let visitor: LightPeer

  test.beforeAll(async ({ fileMesh: mesh }) => {
    publisher = await mesh.start(`publisher-${executor}`)
    const TOTAL = { MEMORY: '4GiB', CPU: '8', DISK: '2GiB', PIDS: 512, RUNS: 8 }
    const runner = {
      ...trustPolicyFor(author),
      PREFER_TOOLCHAIN: { [executor]: HELLO.map(([name]) => name) },
      LIMITS: { TOTAL, HEALTHY_SECONDS: 1 },
    }
    worker = await mesh.join(`worker-${executor}`, publisher, { runner })
    visitor = await mesh.visitor(publisher, author)
  })
  test.afterAll(() => visitor?.[Symbol.asyncDispose]())

  const present = needs(need) ? HELLO.filter(([name]) => has(name)) : []
  test.for(present)(
    '%s: it is built, runs and answers through a tunnel',
    async ([, folder, says], { fileMesh: mesh }) => {
      const { name, toolchain, run, resources } = await manifestOf(folder)
      const code = await addFolder(publisher, new URL(folder, EXAMPLES).pathname)
      const id = await mesh.publish(publisher, { author, name, code, toolchain, run, resources })
      await stateOf(worker, id, 'running', 90_000)
      const pipe = await visitor.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(30_000) })
      expect(await httpGet(pipe, '/')).toMatchObject({ status: 200, body: expect.stringContaining(says) })
      // the machine has no processor for all of them
      await worker.stop(id)
    },
  )
})
