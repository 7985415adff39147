import type { Health } from '../../node/types.ts'
import { HEALTH_MS } from '../constants.ts'
import { healthSchema, type NodeInfo, nodeInfoSchema } from '../schemas/views.ts'
import { operation, plainAnswer } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

/** Open to anyone: health, identity and addresses. */
export function nodeInfoRoutes(app: App, components: RouteComponents): void {
  const { node, clock } = components
  let asked: { at: number; health: Promise<Health> } | undefined
  function health(maxAgeMs: number): Promise<Health> {
    const now = clock.monotonic()
    if (asked !== undefined && now - asked.at < maxAgeMs) return asked.health
    const question = { at: now, health: node.health() }
    asked = question
    question.health.catch(() => {
      if (asked === question) asked = undefined
    })
    return question.health
  }

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/health',
      summary: 'Is it well, and what can it run',
      answers: {
        200: plainAnswer('the node is well', healthSchema),
        503: plainAnswer('it is not', healthSchema),
      },
    },
    async (context) => {
      const now = await health(HEALTH_MS)
      return context.json(now, now.ok ? 200 : 503)
    },
  )

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/node',
      summary: 'Who it is, and where other nodes dial it',
      answers: { 200: plainAnswer('its identity and addresses', nodeInfoSchema) },
    },
    async (context) => {
      const { version } = await health(Number.POSITIVE_INFINITY)
      const info: NodeInfo = {
        peerId: node.peerId,
        address: node.address,
        network: node.network,
        version,
        multiaddrs: node.multiaddrs(),
      }
      return context.json(info)
    },
  )
}
