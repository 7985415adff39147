import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLinks, type Links, linksUnavailable } from '../links/links.ts'
import type { FromHalf, Look, NodeState, ToHalf } from './half.ts'
import { processesOf } from './processes.ts'

/** Nodes of each half; one more in the first half publishes. */
const NODES = 10
const REPLICAS = 3
const MANY = 30
const CUT_MS = 30_000
const PATIENCE_MS = 120_000
/** Bounds: three are up, three are up again, back to three after the halves meet again, processes begun to those wanted. */
const BOUNDS = { upMs: 10_000, againMs: 15_000, healedMs: 30_000, startsRatio: 1.1 }

type Half = Awaited<ReturnType<typeof startHalf>>

/**
 * Twenty whole nodes in two network namespaces, all connected to each other; services that want three replicas, in sandboxes
 * on this machine. Processes are counted in the kernel's table, beside what the nodes say.
 */
export async function runReplicasBench({ json }: { json: boolean }): Promise<void> {
  const problem = linksUnavailable()
  if (problem !== undefined) throw new Error(`this benchmark needs network namespaces: ${problem}`)
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  using links = createLinks(2, () => undefined)
  const left = await startHalf(links, 0, NODES + 1, [])
  const right = await startHalf(links, 1, NODES, left.addresses)
  const halves = [left, right]
  try {
    await sleep(5_000)
    const one = await publish(left, 'one', 1, 'never')
    const upMs = await untilPlaced(one, halves, REPLICAS)
    const starts = await startsOf(one, halves)
    say({ upMs, starts }, `three of ${2 * NODES} nodes run it after ${upMs} ms, ${starts} processes were begun`)

    for (const pid of processesOf('one-0').slice(0, 2)) process.kill(pid, 'SIGKILL')
    const againMs = await untilPlaced(one, halves, REPLICAS)
    say({ againMs }, `two runs were killed: three again after ${againMs} ms`)

    links.cut(1, true)
    await sleep(CUT_MS)
    const apart = await Promise.all(halves.map(async (half) => running(await half.look(one.ids), 0)))
    const before = new Set(apart.flat().map(({ runId }) => runId))
    links.cut(1, false)
    const healedMs = await untilPlaced(one, halves, REPLICAS)
    const after = (await Promise.all(halves.map(async (half) => running(await half.look(one.ids), 0)))).flat()
    const kept = after.every(({ runId, restarts }) => before.has(runId) && restarts === 0)
    const counts = apart.map(({ length }) => length)
    say(
      { apart: counts, healedMs, kept },
      `apart for ${CUT_MS} ms, ${counts.join(' and ')} ran it; three again after ${healedMs} ms, ${kept ? 'none' : 'SOME'} of them begun again`,
    )

    const many = await publish(left, 'many', MANY, 'always')
    const manyMs = await untilPlaced(many, halves, REPLICAS)
    const startsRatio = (await startsOf(many, halves)) / (REPLICAS * MANY)
    say(
      { manyMs, startsRatio },
      `${MANY} at once: all placed after ${manyMs} ms, ${startsRatio} processes begun for each one wanted`,
    )
    const isBelow = (value: number, bound: number) => value <= bound
    const ok =
      starts === REPLICAS &&
      isBelow(upMs, BOUNDS.upMs) &&
      isBelow(againMs, BOUNDS.againMs) &&
      isBelow(healedMs, BOUNDS.healedMs) &&
      isBelow(startsRatio, BOUNDS.startsRatio) &&
      counts.every((count) => count === REPLICAS) &&
      kept
    say({ ok, bounds: BOUNDS }, ok ? 'within all bounds' : `NOT within the bounds: ${JSON.stringify(BOUNDS)}`)
    if (!ok) process.exitCode = 1
  } finally {
    await Promise.all(halves.map((half) => half.end()))
  }
}

type Published = { readonly names: readonly string[]; readonly ids: readonly string[] }

async function publish(half: Half, name: string, count: number, restart: string): Promise<Published> {
  const names = Array.from({ length: count }, (_, index) => `${name}-${index}`)
  return { names, ids: await half.publish(names, REPLICAS, restart) }
}

/** Until so many nodes say that each of these runs, and as many processes exist; for two looks in a row. */
async function untilPlaced({ names, ids }: Published, halves: readonly Half[], replicas: number): Promise<number> {
  const since = performance.now()
  for (let seen: number | undefined; ; await sleep(200)) {
    const looks = await Promise.all(halves.map((half) => half.look(ids)))
    const placed = ids.every((_, index) => {
      const count = looks.reduce((sum, look) => sum + running(look, index).length, 0)
      return count === replicas && processesOf(names[index] as string).length === replicas
    })
    const now = Math.round(performance.now() - since)
    if (!placed) seen = undefined
    else if (seen !== undefined) return seen
    else seen = now
    if (now > PATIENCE_MS) throw new Error(`after ${now} ms the services are not placed: ${summary(looks)}`)
  }
}

function summary(looks: readonly Look[]): string {
  const states = looks.flatMap((look) => look.flatMap(({ nodes }) => nodes.map(({ state }) => state)))
  return JSON.stringify(
    Object.fromEntries([...Map.groupBy(states, (state) => state)].map(([s, all]) => [s, all.length])),
  )
}

function running(look: Look, index: number): NodeState[] {
  return look[index]?.nodes.filter(({ state }) => state === 'running') ?? []
}

async function startsOf({ ids }: Published, halves: readonly Half[]): Promise<number> {
  const looks = await Promise.all(halves.map((half) => half.look(ids)))
  return looks.flat().reduce((sum, { starts }) => sum + starts, 0)
}

async function startHalf(links: Links, host: number, nodes: number, others: readonly string[]) {
  const entry = new URL('./half.ts', import.meta.url)
  const child: ChildProcess = links.fork(host, entry, [links.address(host), String(nodes), ...others])
  const gone = once(child, 'exit')
  const next = async (): Promise<FromHalf> => {
    const ended = gone.then(([status]) => Promise.reject(new Error(`half ${host} ended with ${status}`)))
    const [message] = await Promise.race([once(child, 'message'), ended])
    return message
  }
  async function ask<Answer extends FromHalf>(order: ToHalf): Promise<Answer> {
    const answered = next()
    child.send(order)
    // what it answers follows from what it is asked
    return (await answered) as Answer
  }
  const { addresses } = (await next()) as { addresses: readonly string[] }
  return {
    addresses,
    publish: async (names: readonly string[], replicas: number, restart: string) =>
      (await ask<{ ids: readonly string[] }>({ do: 'publish', names, replicas, restart })).ids,
    look: (ids: readonly string[]) => ask<Look>({ do: 'look', ids }),
    async end() {
      if (child.connected) child.disconnect()
      await gone
    },
  }
}
