import { isIP } from 'node:net'
import { z } from 'zod'
import { AccessError } from '../../base/errors.ts'
import { requestedName } from '../access/origin.ts'
import { tunnelClosedSchema, tunnelSchema, tunnelsSchema } from '../schemas/tunnels.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const query = z.object({ port: z.string().min(1).max(100).describe("the name of the service's port") })

/** Listeners on the node's own machine that lead to ports of services. For the operator. */
export function tunnelRoutes(app: App, components: RouteComponents): void {
  const { node, tunnels } = components
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/service/{id}/tunnel',
      summary: "Open a tunnel: a listener on the loopback of the node's machine that leads to a port of the service",
      description:
        'It has an address of its own in 127.0.0.0/8. It ends with the session or the token that opened it, after 12 hours, and when the node stops. Every program of the machine can connect to it.',
      scope: 'operate',
      params: z.object({ id: z.string().describe('an id, the beginning of one, or a name that one author uses') }),
      query,
      answers: { 200: plainAnswer('the tunnel', tunnelSchema) },
      problems: {
        403: "the scope is not enough, the port is for the service's author alone, or a session asks from another machine",
        404: 'there is no such service, or it has no such port',
        429: 'too many tunnels are open',
        503: 'this system has no second loopback address',
      },
    },
    async (context, { params: { id }, query: { port } }) => {
      const principal = context.get('principal')
      // a browser elsewhere could not reach it, and whoever is on the node's machine could
      if (principal.kind === 'session') checkIsHere(context.req.raw)
      const { id: service, port: name } = node.portOf(id, port)
      return context.json(await tunnels.open({ service, port: name }, principal))
    },
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/tunnels',
      summary: 'The open tunnels',
      scope: 'operate',
      answers: { 200: plainAnswer('tunnels, oldest first', tunnelsSchema) },
    },
    (context) => context.json({ tunnels: tunnels.list() }),
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/tunnels/{id}/close',
      summary: 'Close a tunnel, and its connections',
      scope: 'operate',
      params: z.object({ id: z.string() }),
      answers: { 200: plainAnswer('it is closed', tunnelClosedSchema) },
      problems: { 404: 'there is no such tunnel' },
    },
    (context, { params: { id } }) => {
      tunnels.close(id)
      return context.json({ closed: id })
    },
  )
}

function checkIsHere(request: Request): void {
  const name = requestedName(request)
  if (name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))) return
  throw new AccessError(
    "the tunnel would be on the node's machine, and this dashboard is open on another; use `thundercloud connect` there",
  )
}
