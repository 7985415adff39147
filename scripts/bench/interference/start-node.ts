import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ForkOptions, Links } from '../links/links.ts'
import type { Arrivals, FromNode, Moments, ToNode } from './node.ts'

export type GossipNode = Awaited<ReturnType<typeof startGossipNode>>

/** Starts the process of a whole node on a host of these links. */
export async function startGossipNode(
  links: Links,
  host: number,
  neighbours: readonly string[],
  options?: ForkOptions,
) {
  const entry = new URL('./node.ts', import.meta.url)
  const child: ChildProcess = links.fork(host, entry, [links.address(host), ...neighbours], options)
  const gone = once(child, 'exit')
  const next = async (): Promise<FromNode> => {
    const ended = gone.then(([status]) => Promise.reject(new Error(`node ${host} ended with ${status}`)))
    const [message] = await Promise.race([once(child, 'message'), ended])
    return message
  }
  async function ask<Answer extends FromNode>(order: ToNode): Promise<Answer> {
    const answered = next()
    child.send(order)
    // what it answers follows from what it is asked
    return (await answered) as Answer
  }
  const { address } = (await next()) as { address: string }
  return {
    address,
    add: async (bytes: number) => (await ask<{ code: string }>({ do: 'add', bytes })).code,
    announce: async (count: number, everyMs: number) =>
      (await ask<{ moments: Moments }>({ do: 'announce', count, everyMs })).moments,
    takeArrivals: () => ask<Arrivals>({ do: 'take-arrivals' }),
    startFetching: (code: string) => ask({ do: 'start-fetching', code }),
    stopFetching: async () => (await ask<{ transfers: number }>({ do: 'stop-fetching' })).transfers,
    async end() {
      if (child.connected) child.disconnect()
      await gone
    },
  }
}
