import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ForkOptions, Links } from '../links/links.ts'
import type { FromNode, ToNode } from './node.ts'

export type Node = Awaited<ReturnType<typeof startNode>>

/** Starts the process of a node on a host of these links. */
export async function startNode(links: Links, host: number, options?: ForkOptions) {
  const child: ChildProcess = links.fork(host, new URL('./node.ts', import.meta.url), [links.address(host)], options)
  const gone = once(child, 'exit')
  const next = async (): Promise<FromNode> => {
    const ended = gone.then(([status]) => Promise.reject(new Error(`node ${host} ended with ${status}`)))
    const [message] = await Promise.race([once(child, 'message'), ended])
    return message
  }
  const first = await next()
  if (!('address' in first)) throw new Error(`node ${host} has no address`)
  async function ask(order: ToNode): Promise<FromNode> {
    const answered = next()
    child.send(order)
    return await answered
  }
  return {
    address: first.address,
    ask,
    /** Makes a code of so many bytes, which nothing compresses. */
    async add(bytes: number): Promise<string> {
      const added = await ask({ add: bytes })
      if (!('code' in added)) throw new Error(`node ${host} did not add the code`)
      return added.code
    },
    async end() {
      if (child.connected) child.disconnect()
      await gone
    },
  }
}
