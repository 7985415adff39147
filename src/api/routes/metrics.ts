import { NotFoundError } from '../../base/errors.ts'
import { operation } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

/** What Prometheus scrapes. It tells whom the node serves and what it runs, so it needs a token like anything else. */
export function metricsRoutes(app: App, components: RouteComponents): void {
  const { metrics } = components
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/metrics',
      summary: "Measures in Prometheus' text format, of the node and of libp2p",
      scope: 'read',
      answers: { 200: { description: 'the measures', type: 'text/plain', schema: { type: 'string' } } },
      problems: { 404: 'METRICS in node.json is not true' },
    },
    async (context) => {
      if (metrics === undefined) {
        throw new NotFoundError('this node has no metrics; set "METRICS": true in node.json and start it again')
      }
      return context.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType })
    },
  )
}
