import type { Duplex } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { LABEL_ROLE } from '../constants.ts'
import { createContainer, type Engine, removeContainer } from '../docker/engine.ts'
import { hasSeccomp } from '../docker/machine.ts'
import { nonce } from '../docker/nonce.ts'
import { createStdioTransport, type StdioTransport } from '../docker/stdio-transport.ts'
import { readLine } from '../gateway/server.ts'
import { LABEL_NODE, relayContainer } from './service-options.ts'

/** The node's way onto the network of its launchers: a container that the node is attached to, made when it is needed. */
export type Relay = {
  /** A connection to the launcher of a service of this name. */
  open(service: string): Promise<Duplex>
  /** Removes relays that were created and never started. A relay that was started ends, and is removed, with its connection. */
  sweep(): Promise<void>
  close(): void
}

export function createRelay(components: {
  engine: Engine
  clock: Clock
  nodeId: string
  image(): Promise<string>
  network(): Promise<string>
}): Relay {
  const { engine, clock, nodeId } = components
  let current: Promise<StdioTransport> | undefined
  /** the newest: one of ours is in use, or about to be */
  let currentName: string | undefined

  async function start(): Promise<StdioTransport> {
    const name = `thundercloud-relay-${nonce(clock, nodeId).toString('hex').slice(0, 16)}`
    currentName = name
    const [image, network, info] = await Promise.all([
      components.image(),
      components.network(),
      engine.ask((docker) => docker.info()),
    ])
    await createContainer(engine, await relayContainer({ name, nodeId, image, network, seccomp: hasSeccomp(info) }))
    try {
      await engine.ask((docker) => docker.getContainer(name).start())
      return await createStdioTransport(engine, clock, name)
    } catch (error) {
      await removeContainer(engine, name)
      throw error
    }
  }

  async function transport(): Promise<StdioTransport> {
    const known = current
    const made = await known?.catch(() => undefined)
    if (made !== undefined && !made.closed) return made
    // several may have waited for the same
    if (current !== known) return transport()
    const fresh = start()
    current = fresh
    fresh.catch(() => {
      if (current === fresh) current = undefined
    })
    return fresh
  }

  return {
    async open(service) {
      const stream = (await transport()).open()
      // the line is awaited by its reader; later errors are the connection's user's
      stream.on('error', () => {})
      stream.write(`${service}\n`)
      const line = await readLine(stream).catch(() => 'no')
      if (line === 'ok') return stream
      stream.destroy()
      throw new UnavailableError('the launcher of the run does not answer on its network')
    },
    async sweep() {
      const filters = { label: [`${LABEL_NODE}=${nodeId}`, `${LABEL_ROLE}=relay`] }
      const found = await engine.ask((docker) => docker.listContainers({ all: true, filters }))
      for (const { Id, Names, State } of found)
        if (State !== 'running' && !Names.includes(`/${currentName}`)) await removeContainer(engine, Id)
    },
    close() {
      current?.then(
        (made) => made.close(),
        () => {},
      )
      current = undefined
    },
  }
}
