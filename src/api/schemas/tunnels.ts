import { array, object, oneOf, type Shape, string } from '../shape.ts'
import type { TunnelView } from '../tunnels/tunnels.ts'
import { count } from './verdict.ts'

export const tunnelSchema: Shape<TunnelView> = object({
  id: string,
  service: string,
  port: string,
  local: string,
  openedAt: count,
  expires: count,
  by: object<TunnelView['by']>({ kind: oneOf('socket', 'token', 'session'), id: string }),
  connections: count,
  problem: string.optional(),
})
export const tunnelsSchema: Shape<{ tunnels: readonly TunnelView[] }> = object({ tunnels: array(tunnelSchema) })
export const tunnelClosedSchema: Shape<{ closed: string }> = object({ closed: string })
