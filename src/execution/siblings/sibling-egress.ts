import type { Duplex } from 'node:stream'
import { AccessError, messageOf, NotFoundError } from '../../base/errors.ts'
import type { Egress, EgressDecision } from '../../egress/index.ts'
import { siblingAddresses } from './sibling-addresses.ts'
import { openSiblingList, siblingList } from './sibling-list.ts'
import type { SiblingPorts, Siblings } from './types.ts'

const NOT_GRANTED = 'the policy in force does not let it reach its siblings (service:self)'

type ConnectOptions = { readonly signal?: AbortSignal | undefined }

export type SiblingEgressInit = {
  readonly runId: string
  readonly service: string
  readonly ports: SiblingPorts
  /** Does the policy in force let it reach its siblings? */
  allowed(): boolean
  onDecision(decision: EgressDecision): void
}

/** The way from a run to its siblings, each a tunnel, and to the list of them; undefined for what is none of them. */
export interface SiblingEgress {
  connect(host: string, port: number, options: ConnectOptions): Promise<Duplex> | undefined
  /** The policy is another: ends the tunnels where it does not allow them. */
  revise(): void
}

export function createSiblingEgress(siblings: Siblings, init: SiblingEgressInit): SiblingEgress {
  const { runId, service, ports, allowed, onDecision } = init
  const tunnels = new Set<Duplex>()

  async function tunnel(address: string, { name, port }: SiblingPorts['ports'][number], options: ConnectOptions) {
    const sibling = siblingAddresses(runId, siblings.list(service)).get(address)
    const host = sibling === undefined ? address : `sibling ${sibling.peer}`
    try {
      if (!allowed()) throw new AccessError(NOT_GRANTED)
      if (sibling === undefined) throw new NotFoundError(`${address} is no sibling now`)
      const opened = await siblings.connect(service, sibling.peer, name, options)
      // before who asked for it listens
      opened.on('error', () => {})
      if (!allowed()) {
        opened.destroy()
        throw new AccessError(NOT_GRANTED)
      }
      tunnels.add(opened)
      opened.once('close', () => tunnels.delete(opened))
      onDecision({ host, port, allowed: true })
      return opened
    } catch (error) {
      onDecision({ host, port, allowed: false, reason: messageOf(error) })
      throw error
    }
  }

  return {
    connect(host, port, options) {
      const target = ports.ports.find((one) => one.port === port)
      if (target !== undefined && host !== '127.0.0.1') return tunnel(host, target, options)
      if (port !== ports.list || host !== '127.0.0.1') return undefined
      const nothing = { self: siblings.self, siblings: [] }
      const list = () => (allowed() ? siblingList(siblings, { runId, service, ports: ports.ports }) : nothing)
      return Promise.resolve(openSiblingList(list))
    },
    revise() {
      if (allowed()) return
      for (const one of tunnels) one.destroy(new AccessError(NOT_GRANTED))
    },
  }
}

/** The one way out of a run: its siblings, and what else it was granted. */
export function withSiblings(egress: Egress, siblings: SiblingEgress | undefined): Egress {
  if (siblings === undefined) return egress
  return {
    connect: (host, port, options = {}) => siblings.connect(host, port, options) ?? egress.connect(host, port, options),
    revise() {
      siblings.revise()
      egress.revise()
    },
  }
}
