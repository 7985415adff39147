import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../src/base/errors.ts'
import { createLinks, linksUnavailable, watchMachine } from '../links/links.ts'
import { type Host, startHost } from './hosts.ts'
import { type Published, runsOf, startsOf, untilConnected, untilPlaced } from './placed.ts'
import { processesOf } from './processes.ts'

/** Without `--nodes`. One more publishes. Two nodes of the first half have hosts of their own. */
const NODES = 20
/** Three in each half, when the halves are apart. */
const FEWEST_NODES = 6
const SINGLE = 2
const REPLICAS = 3
/** Services at once, for each node. */
const MANY = 1.5
/** Tries to have the single nodes run a service: who is asked first may run it, too, and not who is nearest. */
const MAX_TRIES = 5
const CUT_MS = 30_000
/** Hosts by number: the rest of the first half, the second half, and single nodes. */
const [LEFT, RIGHT, FIRST_SINGLE] = [0, 1, 2]
const ALL_SIDES = { replicas: REPLICAS, processes: REPLICAS }
/** The single nodes are away, and their runs go on. */
const WITHOUT_SINGLE = { replicas: REPLICAS, processes: REPLICAS + SINGLE }
/** Bounds: three are up, three are up again, back to three when nodes that were away are back, processes begun to those wanted. */
const BOUNDS = { upMs: 10_000, againMs: 15_000, healedMs: 30_000, startsRatio: 1.1 }

type Say = (line: object, text: string) => void
type World = {
  /** that may run a service */
  readonly nodes: number
  readonly hosts: Host[]
  cut(host: number, isDown: boolean): void
  /** Starts a host that was killed, in the same folder. */
  startAgain(host: number): Promise<void>
}

/**
 * Whole nodes in network namespaces, all connected to each other; services that want three replicas, in sandboxes
 * on this machine. Processes are counted in the kernel's table, beside what the nodes say.
 */
export async function runReplicasBench({ json, nodes = NODES }: { json: boolean; nodes?: number }): Promise<void> {
  if (nodes < FEWEST_NODES) throw new Error(`--nodes is ${nodes}; it must be at least ${FEWEST_NODES}`)
  const problem = linksUnavailable()
  if (problem !== undefined) throw new Error(`this benchmark needs network namespaces: ${problem}`)
  const busy = watchMachine()
  const say: Say = (line, text) => console.log(json ? JSON.stringify(line) : text)
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'tc-replicas-'))
  stack.defer(() => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }))
  const links = stack.use(createLinks(FIRST_SINGLE + SINGLE, () => undefined))
  const hosts: Host[] = []
  stack.defer(async () => void (await Promise.all(hosts.map((host) => host.end()))))
  const start = async (host: number) => {
    const half = Math.floor(nodes / 2)
    const count = host === LEFT ? half - SINGLE + 1 : host === RIGHT ? nodes - half : 1
    const others = hosts.flatMap(({ addresses }, index) => (index === host ? [] : addresses))
    // so that there are services to which all single nodes are the nearest
    const beside = host > FIRST_SINGLE ? hosts[FIRST_SINGLE]?.peers[0] : undefined
    hosts[host] = await startHost(links, { root, host, count, others, beside })
  }
  for (const host of [LEFT, RIGHT, FIRST_SINGLE, FIRST_SINGLE + 1]) await start(host)
  const world: World = { nodes, hosts, cut: (host, isDown) => links.cut(host, isDown), startAgain: start }
  await untilConnected(hosts, nodes)
  let ok = true
  for (const attempt of [loseRuns, loseNodes, killNodes, begin]) {
    const isWithin = await attempt(world, say).catch((error: unknown) => {
      say({ case: attempt.name, error: messageOf(error) }, `${attempt.name} ended: ${messageOf(error)}`)
      return false
    })
    ok &&= isWithin
  }
  const machineBusy = busy()
  const busyText = `the machine was ${Math.round(machineBusy * 100)} % busy`
  say(
    { ok, bounds: BOUNDS, machineBusy },
    `${ok ? 'within all bounds' : `NOT within the bounds: ${JSON.stringify(BOUNDS)}`}; ${busyText}`,
  )
  if (!ok) process.exitCode = 1
}

/** Three are up; two runs are killed; the halves of the mesh are apart. */
async function loseRuns({ nodes, hosts, cut }: World, say: Say): Promise<boolean> {
  const one = await publish(hosts, 'one', { restart: 'never' })
  const upMs = await untilPlaced(one, hosts, ALL_SIDES)
  const { first, again } = await startsOf(one, hosts)
  const starts = first + again
  say(
    { upMs, starts, again },
    `three of ${nodes} nodes run it after ${upMs} ms, ${starts} processes were begun, ${again} of them again`,
  )

  for (const pid of processesOf('one-0').slice(0, 2)) process.kill(pid, 'SIGKILL')
  const againMs = await untilPlaced(one, hosts, ALL_SIDES)
  say({ againMs }, `two runs were killed: three again after ${againMs} ms`)

  // a node whose run was killed does not run that service again, and of few nodes too few would be left
  const apart = await publish(hosts, 'apart', { restart: 'never' })
  await untilPlaced(apart, hosts, ALL_SIDES)
  cut(RIGHT, true)
  await sleep(CUT_MS)
  const [left, right] = [await runsOf(apart, hosts.toSpliced(RIGHT, 1)), await runsOf(apart, [hosts[RIGHT] as Host])]
  cut(RIGHT, false)
  const { healedMs, kept } = await heal(apart, hosts, [...left, ...right])
  const counts = [left.length, right.length]
  say(
    { apart: counts, healedMs, kept },
    `apart for ${CUT_MS} ms, ${counts.join(' and ')} ran it; three again after ${healedMs} ms, ${begunAgain(kept)}`,
  )
  const within = upMs <= BOUNDS.upMs && againMs <= BOUNDS.againMs && healedMs <= BOUNDS.healedMs
  return within && kept && starts === REPLICAS && counts.every((count) => count === REPLICAS)
}

/** Two nodes are cut off with their runs, and come back. */
async function loseNodes({ hosts, cut }: World, say: Say): Promise<boolean> {
  const one = await publishNear(hosts, 'cut')
  const single = [FIRST_SINGLE, FIRST_SINGLE + 1]
  for (const host of single) cut(host, true)
  const againMs = await untilPlaced(one, hosts.slice(0, FIRST_SINGLE), WITHOUT_SINGLE)
  const before = await runsOf(one, hosts)
  for (const host of single) cut(host, false)
  const { healedMs, kept } = await heal(one, hosts, before)
  say(
    { cutAgainMs: againMs, cutHealedMs: healedMs, cutKept: kept },
    `two nodes were cut off with their runs: three again after ${againMs} ms; when they were back, after ${healedMs} ms, ${begunAgain(kept)}`,
  )
  return againMs <= BOUNDS.againMs && healedMs <= BOUNDS.healedMs && kept
}

/** Two nodes are killed, their runs live on, others take over, and the nodes are started again. */
async function killNodes({ hosts, startAgain }: World, say: Say): Promise<boolean> {
  const one = await publishNear(hosts, 'killed')
  const single = [FIRST_SINGLE, FIRST_SINGLE + 1]
  const old = await runsOf(one, hosts.slice(FIRST_SINGLE))
  await Promise.all(single.map((host) => hosts[host]?.kill()))
  let takenOverMs = 0
  let others: Awaited<ReturnType<typeof runsOf>> = []
  try {
    takenOverMs = await untilPlaced(one, hosts.slice(0, FIRST_SINGLE), WITHOUT_SINGLE)
    others = await runsOf(one, hosts.slice(0, FIRST_SINGLE))
  } finally {
    // also where it fails: what the killed nodes left ends with them
    await Promise.all(single.map(startAgain))
  }
  const { healedMs, kept } = await heal(one, hosts, [...old, ...others])
  say(
    { takenOverMs, backMs: healedMs, backKept: kept },
    `two nodes were killed: others ran it after ${takenOverMs} ms; when they were back, three after ${healedMs} ms, ${begunAgain(kept)}`,
  )
  return healedMs <= BOUNDS.healedMs && kept
}

async function begin({ nodes, hosts }: World, say: Say): Promise<boolean> {
  const count = Math.round(MANY * nodes)
  const many = await publish(hosts, 'many', { count, restart: 'always' })
  const manyMs = await untilPlaced(many, hosts, ALL_SIDES)
  const { first, again } = await startsOf(many, hosts)
  const startsRatio = (first + again) / (REPLICAS * count)
  say(
    { manyMs, startsRatio, first, again },
    `${count} at once: all placed after ${manyMs} ms, ${startsRatio} processes begun for each one wanted (${first} runs, ${again} restarts)`,
  )
  return startsRatio <= BOUNDS.startsRatio
}

/** Until three run it; `kept`: they are some of those that ran before, and none was begun again. */
async function heal(one: Published, hosts: readonly Host[], before: Awaited<ReturnType<typeof runsOf>>) {
  const known = new Set(before.map(({ runId }) => runId))
  const healedMs = await untilPlaced(one, hosts, ALL_SIDES)
  const after = await runsOf(one, hosts)
  return { healedMs, kept: after.every(({ runId, restarts }) => known.has(runId) && restarts === 0) }
}

const begunAgain = (kept: boolean) => `${kept ? 'none' : 'SOME'} of them begun again`

type Publishing = { readonly count?: number; readonly restart: string; readonly near?: readonly string[] }

async function publish(
  hosts: readonly Host[],
  name: string,
  { count = 1, restart, near }: Publishing,
): Promise<Published> {
  const names = Array.from({ length: count }, (_, index) => `${name}-${index}`)
  const peers = near && [...near, ...hosts.flatMap((host) => host.peers).filter((peer) => !near.includes(peer))]
  const of = peers && { first: SINGLE, peers }
  return { names, ids: await (hosts[LEFT] as Host).publish({ names, replicas: REPLICAS, restart, near: of }) }
}

/** A service that the single nodes run, with one other: they are the nearest to it. */
async function publishNear(hosts: readonly Host[], name: string): Promise<Published> {
  const single = hosts.slice(FIRST_SINGLE)
  for (let tried = 0; tried < MAX_TRIES; tried++) {
    const near = single.flatMap((host) => host.peers)
    const one = await publish(hosts, `${name}-${tried}`, { restart: 'never', near })
    await untilPlaced(one, hosts, ALL_SIDES)
    if ((await runsOf(one, single)).length === SINGLE) return one
  }
  throw new Error(`${MAX_TRIES} times other nodes ran the service to which the single nodes are the nearest`)
}
