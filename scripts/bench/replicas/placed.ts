import { setTimeout as sleep } from 'node:timers/promises'
import type { Look, NodeState, Starts } from './host.ts'
import type { Host } from './hosts.ts'
import { processesOf } from './processes.ts'

const PATIENCE_MS = 120_000
const LOOK_MS = 200

export type Published = { readonly names: readonly string[]; readonly ids: readonly string[] }
/** `replicas`: nodes of these hosts that say so; `processes`: on this machine. */
export type Wanted = { readonly replicas: number; readonly processes: number }

/** Until so many nodes say that each of these runs, and as many processes exist; for two looks in a row. Answers after how long, ms. */
export async function untilPlaced(
  { names, ids }: Published,
  hosts: readonly Host[],
  { replicas, processes }: Wanted,
): Promise<number> {
  const since = performance.now()
  for (let seen: number | undefined; ; await sleep(LOOK_MS)) {
    const looks = await Promise.all(hosts.map((host) => host.look(ids)))
    const placed = ids.every((_, index) => {
      const count = looks.reduce((sum, look) => sum + running(look, index).length, 0)
      return count === replicas && processesOf(names[index] as string).length === processes
    })
    const now = Math.round(performance.now() - since)
    if (!placed) seen = undefined
    else if (seen !== undefined) return seen
    else seen = now
    if (now > PATIENCE_MS) {
      const counts = names.map((name) => processesOf(name).length).join(', ')
      throw new Error(`after ${now} ms the services are not placed: ${summary(looks)}, processes: ${counts}`)
    }
  }
}

/** Until each node has so many peers. */
export async function untilConnected(hosts: readonly Host[], peers: number): Promise<void> {
  const since = performance.now()
  for (;;) {
    const fewest = Math.min(...(await Promise.all(hosts.map((host) => host.fewestPeers()))))
    if (fewest >= peers) return
    if (performance.now() - since > PATIENCE_MS)
      throw new Error(`after ${PATIENCE_MS} ms a node has ${fewest} of ${peers} peers`)
    await sleep(LOOK_MS)
  }
}

function summary(looks: readonly Look[]): string {
  const states = looks.flatMap((look) => look.flatMap(({ nodes }) => nodes.map(({ state }) => state)))
  return JSON.stringify(
    Object.fromEntries([...Map.groupBy(states, (state) => state)].map(([s, all]) => [s, all.length])),
  )
}

/** The nodes of a host that run it. */
export function running(look: Look, index: number): NodeState[] {
  return look[index]?.nodes.filter(({ state }) => state === 'running') ?? []
}

/** The runs of one service on these hosts. */
export async function runsOf({ ids }: Published, hosts: readonly Host[]): Promise<NodeState[]> {
  return (await Promise.all(hosts.map(async (host) => running(await host.look(ids), 0)))).flat()
}

export async function startsOf({ ids }: Published, hosts: readonly Host[]): Promise<Starts> {
  const looks = (await Promise.all(hosts.map((host) => host.look(ids)))).flat()
  const sum = (of: keyof Starts) => looks.reduce((count, { starts }) => count + starts[of], 0)
  return { first: sum('first'), again: sum('again') }
}
