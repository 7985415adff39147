import { type Clock, nowSeconds } from '../../base/clock.ts'
import { NotFoundError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Rng } from '../../base/rng.ts'
import type { BytePipe } from '../../base/stream.ts'
import type { Principal } from '../access/principal.ts'
import { MAX_TUNNELS, MAX_TUNNELS_PER_PRINCIPAL, SESSION_SECONDS } from '../constants.ts'
import { HttpProblem } from '../http-errors.ts'
import { listenForTunnel, type TunnelListener } from './listener.ts'

/** A listener on the node's machine that leads to a port of a service. Times are whole seconds. */
export type TunnelView = {
  readonly id: string
  readonly service: string
  /** the name of the service's port */
  readonly port: string
  /** where a program of the node's machine connects to: "127.83.12.7:40123" */
  readonly local: string
  readonly openedAt: number
  /** it ends then, or with what opened it */
  readonly expires: number
  /** what opened it, and ends it: a session, a token, or the operator's socket */
  readonly by: { readonly kind: Principal['kind']; readonly id: string }
  readonly connections: number
  /** why the newest connection failed */
  readonly problem?: string | undefined
}

export interface Tunnels extends Disposable {
  /** Throws an HttpProblem (429) beyond the bounds. */
  open(to: { service: string; port: string }, by: Principal): Promise<TunnelView>
  /** Oldest first. */
  list(): TunnelView[]
  /** Ends it and its connections. Throws NotFoundError. */
  close(id: string): void
}

export type TunnelsInit = {
  readonly clock: Clock
  readonly rng: Pick<Rng, 'bytes'>
  connect(service: string, port: string, options: { signal: AbortSignal }): Promise<BytePipe>
}

type Tunnel = Omit<TunnelView, 'local' | 'connections' | 'problem'> & { readonly listener: TunnelListener; end(): void }

const ID_BYTES = 6

export function createTunnels({ clock, rng, connect }: TunnelsInit): Tunnels {
  const tunnels = new Map<string, Tunnel>()
  /** Being opened: they count, so that many at once do not pass the bound. */
  const opening: Principal[] = []
  let over = false

  function checkRoom(by: Principal): void {
    const own = [...[...tunnels.values()].map((tunnel) => tunnel.by), ...opening].filter(
      ({ kind, id }) => kind === by.kind && id === by.id,
    ).length
    const full = tunnels.size + opening.length >= MAX_TUNNELS
    if (!full && own < MAX_TUNNELS_PER_PRINCIPAL) return
    throw new HttpProblem(
      429,
      full
        ? `${MAX_TUNNELS} tunnels are open, which is all that the node has at once; close one`
        : `this ${by.kind} has ${MAX_TUNNELS_PER_PRINCIPAL} tunnels open, which is all that it may have; close one`,
    )
  }

  /** Another loopback address each time: another host for a browser than the dashboard's, and than any other service's. */
  function freshAddress(): string {
    const [a = 0, b = 0, c = 0] = rng.bytes(3)
    return `127.${64 + (a % 128)}.${b}.${1 + (c % 254)}`
  }

  async function open({ service, port }: { service: string; port: string }, by: Principal): Promise<TunnelView> {
    by.ended?.throwIfAborted()
    checkRoom(by)
    opening.push(by)
    try {
      const listener = await listenForTunnel(freshAddress(), (signal) => connect(service, port, { signal }))
      if (over || by.ended?.aborted) {
        listener[Symbol.dispose]()
        throw new HttpProblem(401, 'what opens the tunnel has ended meanwhile')
      }
      return add({ service, port }, by, listener)
    } finally {
      opening.splice(opening.indexOf(by), 1)
    }
  }

  function add(to: { service: string; port: string }, by: Principal, listener: TunnelListener): TunnelView {
    const id = Buffer.from(rng.bytes(ID_BYTES)).toString('hex')
    const openedAt = nowSeconds(clock)
    const expires = Math.min(openedAt + SESSION_SECONDS, by.expires ?? Number.POSITIVE_INFINITY)
    const timer = clock.after((expires - openedAt) * 1000, () => end())
    const end = () => {
      tunnels.delete(id)
      timer.cancel()
      by.ended?.removeEventListener('abort', end)
      listener[Symbol.dispose]()
    }
    by.ended?.addEventListener('abort', end, { once: true })
    const tunnel = { id, ...to, openedAt, expires, by: { kind: by.kind, id: by.id }, listener, end }
    tunnels.set(id, tunnel)
    return viewOf(tunnel)
  }

  return {
    open,
    list: () => [...tunnels.values()].map(viewOf),
    close(id) {
      const found = tunnels.get(id)
      if (found === undefined) throw new NotFoundError(`there is no tunnel "${sanitizeText(id, 40)}"`)
      found.end()
    },
    [Symbol.dispose]() {
      over = true
      for (const { end } of tunnels.values()) end()
    },
  }
}

function viewOf({ listener, end: _end, ...tunnel }: Tunnel): TunnelView {
  const { address, port, connections, problem } = listener
  return { ...tunnel, local: `${address}:${port}`, connections, problem }
}
