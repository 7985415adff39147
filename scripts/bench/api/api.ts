import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createApi, serveApi } from '../../../src/api/index.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { announcementRecord, openJournal } from '../../../src/journal/index.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { announcementOf, newSigner } from '../../../test/fixtures/mesh/announcement-of.ts'
import { createWorld } from '../../../test/fixtures/node/nodes.ts'
import type { Order, Result, Task } from './load.ts'

const TOKEN = Buffer.from(systemRng().bytes(24)).toString('base64url')
const CLIENTS = 12
const AUTHORS = 1_000
const ROWS = 100_000
const NEIGHBOURS = 8
/** Nothing but the API itself limits the load. */
const QUOTAS = { NEW_AUTHORS_PER_PEER_PER_MINUTE: 100_000, SERVICES_PER_AUTHOR: 100_000, JOURNAL_MAX_SERVICES: 200_000 }

type Figure = { readonly name: string; readonly value: number; readonly bound: number; readonly atMost: boolean }

/** What a node's HTTP API takes: announcements of strangers, publications of the operator, forgeries; and what a list costs with 100,000 services. */
export async function runApiBench({ json, rounds = 1 }: { json: boolean; rounds?: number }): Promise<void> {
  const load = fork(join(import.meta.dirname, 'load.ts'), { execArgv: ['--conditions=thundercloud-source'] })
  let held = true
  const report = (figures: readonly Figure[], more: object) => {
    for (const { name, value, bound, atMost } of figures) {
      const within = atMost ? value <= bound : value >= bound
      held &&= within
      console.log(
        json
          ? JSON.stringify({ name, value, bound, within, ...more })
          : `${name.padEnd(36)} ${String(value).padStart(8)}  (${atMost ? 'at most' : 'at least'} ${bound})`,
      )
    }
  }
  try {
    for (let round = 0; round < rounds; round++) {
      await alone(load, report)
      await withNeighbours(load, report)
      await manyRows(load, report)
    }
  } finally {
    load.kill()
  }
  if (!held) process.exitCode = 1
}

type Report = (figures: readonly Figure[], more: object) => void

async function alone(load: ChildProcess, report: Report): Promise<void> {
  await using world = await createWorld()
  const node = await world.start('node', { node: { QUOTAS } })
  await using served = await serve(node)
  const strangers = await served.measure(load, { kind: 'announce', count: 2_000, authors: AUTHORS, forged: false })
  report([least('postServicePerSecond', strangers.perSecond, 500)], strangers)
  const forged = await served.measure(load, { kind: 'announce', count: 3_000, authors: AUTHORS, forged: true })
  report([least('refusedBySignaturePerSecond', forged.perSecond, 1_500)], forged)
  const published = await served.measure(load, { kind: 'publish', count: 1_500 }, TOKEN)
  report([least('publishPerSecond', published.perSecond, 300), most('publishP99Ms', published.p99, 100)], published)
}

async function withNeighbours(load: ChildProcess, report: Report): Promise<void> {
  await using world = await createWorld()
  const node = await world.start('node', { node: { QUOTAS, PEERS: { LOW: 0 } } })
  const address = node.multiaddrs().find((text) => text.startsWith('/ip4/127.0.0.1/')) as string
  const names = Array.from({ length: NEIGHBOURS }, (_, index) => `neighbour-${index}`)
  await Promise.all(names.map((name) => world.start(name, { node: { QUOTAS }, runner: { STATIC_NODES: [address] } })))
  while (node.peers().length < NEIGHBOURS) await new Promise((resolve) => setTimeout(resolve, 100))
  await using served = await serve(node)
  const published = await served.measure(load, { kind: 'publish', count: 1_000 }, TOKEN)
  const more = { ...published, neighbours: NEIGHBOURS }
  report(
    [
      least('publishPerSecond, neighbours', published.perSecond, 300),
      most('publishP99Ms, neighbours', published.p99, 100),
    ],
    more,
  )
}

async function manyRows(load: ChildProcess, report: Report): Promise<void> {
  await using world = await createWorld()
  await world.start('node', { node: { QUOTAS } })
  await world.stop('node')
  fill(join(world.dir('node'), 'data', 'journal.sqlite'))
  const node = await world.start('node', { node: { QUOTAS } })
  const { services } = await node.health()
  if (services < ROWS) throw new Error(`the journal has ${services} services, ${ROWS} are asked for`)
  await using served = await serve(node)
  const filters = ['', 'verdict=redirected', 'verdict=undecided', 'state=running', 'state=refused', 'state=deciding']
  const texts = ['search=service-77', 'search=nothing-of-this', 'state=stopped', 'cursor=50000']
  const paths = [...filters, ...texts].map((query) => `/services?${query}`)
  for (const path of paths) {
    const listed = await served.measure(load, { kind: 'get', paths: [path], count: 100 }, TOKEN, 1)
    report([most(`listP99Ms ${path}`, listed.p99, 50)], listed)
  }
}

/** Services that came once, as they are in the journal. */
function fill(path: string): void {
  const clock = systemClock()
  using journal = openJournal({ path, clock, log: silentLog() })
  const author = newSigner()
  const origin = { via: 'gossip', from: undefined, own: false, redirect: true, predecessor: undefined } as const
  journal.transaction(() => {
    for (let index = 0; index < ROWS; index++) {
      const { announcement } = announcementOf(author, { clock, network: 'test', name: `service-${index}` })
      const { signed, ticket } = announcement
      journal.announcements.insert(announcementRecord(signed, ticket, { ...origin, receivedAt: clock.now() }))
      if (index % 10 === 0) continue
      const verdict = { run: false as const, redirect: index % 100 !== 1, reasons: [] }
      journal.verdicts.add({ service: signed.id.toString(), at: clock.now(), policy: new Uint8Array(32), verdict })
    }
  })
}

async function serve(node: ThundercloudNode) {
  const api = createApi({ node, clock: systemClock(), log: silentLog(), token: TOKEN })
  const served = await serveApi(api, '127.0.0.1', 0)
  return {
    async measure(load: ChildProcess, task: Task, token?: string, at = CLIENTS) {
      const loop = monitorEventLoopDelay({ resolution: 5 })
      loop.enable()
      const result = await ask(load, { url: served.url, token, at, task })
      loop.disable()
      return { ...result, eventLoopP99Ms: Number((loop.percentile(99) / 1e6).toFixed(1)) }
    },
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  }
}

async function ask(load: ChildProcess, order: Order): Promise<Result> {
  load.send(order)
  const [{ result, error }] = (await once(load, 'message')) as [{ result?: Result; error?: string }]
  if (result === undefined) throw new Error(error)
  return result
}

function least(name: string, value: number, bound: number): Figure {
  return { name, value, bound, atMost: false }
}

function most(name: string, value: number, bound: number): Figure {
  return { name, value, bound, atMost: true }
}
