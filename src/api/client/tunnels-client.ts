import { tunnelClosedSchema, tunnelSchema, tunnelsSchema } from '../schemas/tunnels.ts'
import type { TunnelView } from '../tunnels/tunnels.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** Listeners on the node's machine that lead to ports of services. */
export interface TunnelsClient {
  /** Ends with the token that the client has, or when it is closed. */
  open(service: string, port: string, options?: AbortOptions): Promise<TunnelView>
  list(options?: AbortOptions): Promise<readonly TunnelView[]>
  /** Throws NotFoundError. */
  close(id: string, options?: AbortOptions): Promise<void>
}

export function createTunnelsClient({ ask }: RestClient): TunnelsClient {
  return {
    open(service, port, options) {
      const path = `/service/${encodeURIComponent(service)}/tunnel?port=${encodeURIComponent(port)}`
      return ask(tunnelSchema, path, { ...options, method: 'POST' })
    },
    list: async (options) => (await ask(tunnelsSchema, '/tunnels', { ...options })).tunnels,
    async close(id, options) {
      await ask(tunnelClosedSchema, `/tunnels/${encodeURIComponent(id)}/close`, { ...options, method: 'POST' })
    },
  }
}
