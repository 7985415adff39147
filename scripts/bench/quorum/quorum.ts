import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB, newSigner } from '../../../test/fixtures/node/nodes.ts'
import { newHub, newMembersHub, type TestHub } from '../../../test/fixtures/trust/hubs.ts'

const NODES = 20
const ROUNDS = 3
const START_BOUND_MS = 2_000
const STOP_BOUND_MS = 5_000
const PATIENCE_MS = 60_000
/** Nodes that a service runs on; the rest of the mesh only passes statements on. */
const RUNNERS = 10
const LIMITS = { TOTAL: { MEMORY: '512MiB', CPU: '8', DISK: '128MiB', PIDS: 256, RUNS: 4 } }

type Times = { readonly firstMs: number; readonly medianMs: number; readonly lastMs: number }

/**
 * Twenty whole nodes in one process, ten of which may run the service in a sandbox on this machine. Three hubs, one of
 * them with three of four members. Measured from the moment a hub's statement is handed to a node that runs nothing
 * until the service runs, and has ended, on each of the ten.
 */
export async function runQuorumBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }): Promise<void> {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const hubs = [newHub(), newHub(), newMembersHub()] as const
  await using world = await createWorld()
  const policy = {
    LIMITS,
    PREFER_TOOLCHAIN: { host: ['node.js'] },
    QUORUM: { HUBS: 2, WEIGHT: 3_000_000 },
    TRUSTED_HUBS: Object.fromEntries(
      hubs.map((hub, index) => [hub.text, { WEIGHT: 1_000_000 * (index + 1), ...hub.pinned }]),
    ),
  }
  const nodes: ThundercloudNode[] = []
  for (let index = 0; index < NODES; index++) {
    const interest = index > NODES - RUNNERS - 1 ? [] : ['nothing']
    const near = [...nodes.slice(0, 1), ...nodes.slice(-3)].flatMap((node) => node.multiaddrs())
    nodes.push(await world.start(`n${index}`, { runner: { ...policy, KEYWORDS: interest, STATIC_NODES: near } }))
  }
  const [publisher] = nodes as [ThundercloudNode, ...ThundercloudNode[]]
  const runners = nodes.slice(-RUNNERS)
  say({ nodes: NODES, runners: RUNNERS, hubs: hubs.length }, `${NODES} nodes, ${RUNNERS} of which may run the service`)
  const starts: Times[] = []
  const stops: Times[] = []
  for (let round = 1; round <= rounds; round++) {
    // other files are other code, about which no hub has an attestation yet
    const folder = join(world.root, `code-${round}`)
    await cp(HELLO_WEB, folder, { recursive: true })
    await writeFile(join(folder, 'round.txt'), `${round}\n`)
    const code = await addFolder(publisher, folder)
    const manifest = { code, name: `round-${round}`, replicas: RUNNERS, replyTo: publisher.multiaddrs() }
    const announcement = announce(newSigner(), manifest)
    const id = announcement.signed.id.toString()
    await publisher.receive(bytesOf(announcement), { asPublisher: true })
    await Promise.all(runners.map((node) => reaches(node, id, 'parked')))
    const attest = (hub: TestHub, verdict: 'safe' | 'unsafe') =>
      publisher.submitStatement(hub.says(verdict, code), { asPublisher: true })
    await attest(hubs[1], 'safe')
    await sleep(1000)
    starts.push(await measured(runners, id, 'running', () => attest(hubs[2], 'safe')))
    stops.push(await measured(runners, id, 'stopped', () => attest(hubs[0], 'unsafe')))
    const [start, stop] = [starts.at(-1), stops.at(-1)] as [Times, Times]
    say(
      { round, start, stop },
      `${round}  running after ${start.lastMs} ms, stopped after ${stop.lastMs} ms (the last of ${RUNNERS})`,
    )
  }
  const worst = (times: readonly Times[]) => Math.max(...times.map(({ lastMs }) => lastMs))
  const result = {
    startMs: worst(starts),
    stopMs: worst(stops),
    startBoundMs: START_BOUND_MS,
    stopBoundMs: STOP_BOUND_MS,
    ok: worst(starts) <= START_BOUND_MS && worst(stops) <= STOP_BOUND_MS,
  }
  say(
    result,
    `slowest: running ${result.startMs} ms (bound ${START_BOUND_MS}), stopped ${result.stopMs} ms (bound ${STOP_BOUND_MS})`,
  )
  if (!result.ok) process.exitCode = 1
}

async function measured(
  nodes: readonly ThundercloudNode[],
  id: string,
  state: 'running' | 'stopped',
  act: () => Promise<unknown>,
): Promise<Times> {
  const since = performance.now()
  const times = nodes.map(async (node) => {
    await reaches(node, id, state)
    return Math.round(performance.now() - since)
  })
  await act()
  const sorted = (await Promise.all(times)).sort((a, b) => a - b)
  return { firstMs: sorted[0] ?? 0, medianMs: sorted[sorted.length >> 1] ?? 0, lastMs: sorted.at(-1) ?? 0 }
}

/** By the node's own report, as soon as it comes. */
async function reaches(node: ThundercloudNode, id: string, state: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  using _listening = node.events.on('node:state', (detail) => {
    if (detail.id === id && detail.state === state) resolve()
  })
  using _parking = node.events.on('node:parked', (detail) => {
    if (detail.id === id && state === 'parked') resolve()
  })
  if (node.services().find((service) => service.id === id)?.state === state) resolve()
  const late = setTimeout(() => reject(new Error(`${node.peerId} did not get to "${state}" in time`)), PATIENCE_MS)
  await promise.finally(() => clearTimeout(late))
}
