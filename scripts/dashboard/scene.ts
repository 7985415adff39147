/**
 * A small mesh of real nodes with something to look at, whose third node serves its dashboard: for the pictures of the
 * documentation, and for people who work on the dashboard. `node --conditions=thundercloud-source scripts/dashboard/scene.ts`
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../protocols/address.ts'
import { createApi, serveApi } from '../../src/api/index.ts'
import type { ServiceState, ThundercloudNode } from '../../src/node/index.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB, newSigner } from '../../test/fixtures/node/nodes.ts'
import { system } from '../../test/fixtures/system.ts'

const TOKEN = 'a-token-of-the-scene-000000000000'
const TICKER = `let count = 0
setInterval(() => console.log(new Date().toISOString(), 'checked', ++count, 'prices, all within', (Math.random() * 2).toFixed(2), '%'), 700)
`

export async function openScene(port = 0) {
  const world = await createWorld()
  const author = newSigner()
  const stranger = newSigner()
  const roots = { [formatAddress(author.address)]: { DEPTH: 1 } }

  const first = await world.start('first', { runner: { KEYWORDS: ['nothing'] } })
  const second = await world.start('second', {
    runner: { STATIC_NODES: first.multiaddrs(), KEYWORDS: ['nothing'] },
  })
  const home = await world.start('home', {
    node: { QUOTAS: { NEW_PER_AUTHOR_PER_MINUTE: 64 } },
    runner: {
      STATIC_NODES: [first, second].flatMap((node) => node.multiaddrs()),
      KEYWORDS: ['web', 'prices'],
      TRUST_TREE: { ROOTS: roots },
      PREFER_TOOLCHAIN: { host: ['node.js'] },
      LIMITS: {
        TOTAL: { MEMORY: '512MiB', CPU: '2', DISK: '256MiB', PIDS: 256, RUNS: 3 },
        SERVICE: { MEMORY: '192MiB', CPU: '1', DISK: '64MiB', PIDS: 64 },
        HEALTHY_SECONDS: 1,
      },
    },
  })
  const api = createApi({ node: home, clock: system.clock, log: system.log, token: TOKEN, host: '127.0.0.1' })
  const served = await serveApi(api, '127.0.0.1', port)
  await world.start('fourth', { runner: { STATIC_NODES: home.multiaddrs(), KEYWORDS: ['nothing'] } })

  const ticker = join(world.root, 'ticker')
  await mkdir(ticker)
  await writeFile(join(ticker, 'main.js'), TICKER)
  const web = await addFolder(first, HELLO_WEB)
  const ticking = await addFolder(first, ticker)
  const resources = { memory: '160MiB', disk: '8MiB', cpu: '0.5', pids: 32 }
  const run = { command: ['node', 'main.js'], kind: 'service' }

  async function publish(manifest: { code: string } & Record<string, unknown>, by = author): Promise<string> {
    const announcement = announce(by, { replyTo: first.multiaddrs(), ...manifest })
    await first.receive(bytesOf(announcement), { asPublisher: true })
    return announcement.signed.id.toString()
  }
  const ids = {
    web: await publish({ code: web, name: 'hello-web', title: 'A web server that says hello' }),
    prices: await publish({
      ...{ code: ticking, name: 'price-watch', title: 'Watches prices', keywords: ['prices'] },
      ...{ run, resources },
    }),
  }
  const bigger = { ...resources, memory: '512MiB' }
  await publish({ code: ticking, name: 'index-builder', keywords: ['web'], run, resources: bigger })
  await publish({ code: ticking, name: 'bridge-relay', title: 'Relays a bridge', keywords: ['defi'], run, resources })
  await publish({ code: ticking, name: 'unknown-author', keywords: ['web'], run, resources }, stranger)
  for (const name of ['mirror-north', 'mirror-south', 'mirror-west']) {
    await publish({ code: ticking, name, title: `A mirror`, keywords: ['web'], run, resources })
  }

  await reached(home, ids.web, 'running')
  await reached(home, ids.prices, 'running')
  return {
    ...{ world, first, home, ids, api, served, token: TOKEN },
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}

async function reached(node: ThundercloudNode, id: string, state: ServiceState): Promise<void> {
  for (;;) {
    if (node.services().find((service) => service.id === id)?.state === state) return
    await new Promise((resolve) => system.clock.after(200, () => resolve(undefined)))
  }
}

if (import.meta.main) {
  const scene = await openScene(Number(process.argv[2] ?? 0))
  console.log(`${scene.served.url}/dashboard/ with the token ${scene.token}`)
  console.log(JSON.stringify(scene.ids))
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void scene[Symbol.asyncDispose]())
}
