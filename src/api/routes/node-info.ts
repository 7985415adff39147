import type { Health } from '../../node/types.ts'
import { HEALTH_MS } from '../constants.ts'
import { healthSchema, type NodeInfo, nodeInfoSchema } from '../schemas/views.ts'
import { type App, answers, type RouteComponents } from './route.ts'

/** Open to anyone: health, identity and addresses. */
export function nodeInfoRoutes(app: App, { node, clock }: RouteComponents): void {
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

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/health',
    summary: 'Is it well, and what can it run',
    responses: answers(200, 'the node is well', healthSchema, { 503: 'it is not (the body is the same)' }),
  })
  app.get('/health', async (context) => {
    const now = await health(HEALTH_MS)
    return context.json(now, now.ok ? 200 : 503)
  })

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/node',
    summary: 'Who it is, and where other nodes dial it',
    responses: answers(200, 'its identity and addresses', nodeInfoSchema),
  })
  app.get('/node', async (context) => {
    const { version } = await health(Number.POSITIVE_INFINITY)
    const info: NodeInfo = {
      peerId: node.peerId,
      address: node.address,
      network: node.network,
      version,
      multiaddrs: node.multiaddrs(),
    }
    return context.json(info)
  })
}
