import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Links } from '../links/links.ts'
import type { Connected, FromHost, HostSettings, Look, Publication, Ready, ToHost } from './host.ts'

/** Whole nodes in one process, on a host of their own. */
export interface Host {
  readonly addresses: readonly string[]
  readonly peers: readonly string[]
  publish(publication: Publication): Promise<readonly string[]>
  look(ids: readonly string[]): Promise<Look>
  /** The fewest peers that one of its nodes has. */
  fewestPeers(): Promise<number>
  /** SIGKILL: what it runs lives on. */
  kill(): Promise<void>
  /** Ends its nodes and their runs. */
  end(): Promise<void>
}

/** `root`: folder of all hosts. */
export type HostInit = Omit<HostSettings, 'address'> & { readonly host: number }

/** A host that was started in this folder before has the same nodes again. */
export async function startHost(links: Links, { host, ...init }: HostInit): Promise<Host> {
  const settings: HostSettings = { ...init, root: join(init.root, `host-${host}`), address: links.address(host) }
  await mkdir(settings.root, { recursive: true })
  const entry = new URL('./host.ts', import.meta.url)
  const child: ChildProcess = links.fork(host, entry, [JSON.stringify(settings)])
  const gone = once(child, 'exit')
  const next = async (): Promise<FromHost> => {
    const ended = gone.then(([status]) => Promise.reject(new Error(`host ${host} ended with ${status}`)))
    const [message] = await Promise.race([once(child, 'message'), ended])
    return message
  }
  async function ask<Answer extends FromHost>(order: ToHost): Promise<Answer> {
    const answered = next()
    child.send(order)
    // what it answers follows from what it is asked
    return (await answered) as Answer
  }
  return {
    ...((await next()) as Ready),
    publish: async (publication) => (await ask<{ ids: readonly string[] }>({ do: 'publish', ...publication })).ids,
    look: (ids) => ask<Look>({ do: 'look', ids }),
    fewestPeers: async () => (await ask<Connected>({ do: 'count-peers' })).fewest,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async end() {
      if (child.connected) child.disconnect()
      await gone
    },
  }
}
