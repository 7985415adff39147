import { z } from 'zod'
import { NotFoundError } from '../../base/errors.ts'
import { type App, NEEDS_TOKEN, OPERATOR, problems, type RouteComponents } from './route.ts'

/** What Prometheus scrapes. It tells whom the node serves and what it runs, so it needs a token like anything else. */
export function metricsRoutes(app: App, { guard, metrics }: RouteComponents): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/metrics',
    summary: "Measures in Prometheus' text format, of the node and of libp2p",
    security: OPERATOR,
    responses: {
      200: { description: 'the measures', content: { 'text/plain': { schema: z.string() } } },
      ...problems({ ...NEEDS_TOKEN, 404: 'METRICS in node.json is not true' }),
    },
  })
  app.get('/metrics', guard.may('read'), async (context) => {
    if (metrics === undefined) {
      throw new NotFoundError('this node has no metrics; set "METRICS": true in node.json and start it again')
    }
    return context.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType })
  })
}
