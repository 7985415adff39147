import { z } from 'zod'
import { alertsSchema, alertTestSchema } from '../schemas/alerts.ts'
import { jsonAnswer, operation } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

/** Which target each fault is sent to, and the last delivery. */
export function alertRoutes(app: App, components: RouteComponents): void {
  const { node, alerts } = components
  const asOf = () => ({ asOf: node.asOf() })

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/alerts',
      summary: 'Alerts that have a target, their faults now, and what became of the newest notice',
      scope: 'read',
      answers: { 200: jsonAnswer('alerts', alertsSchema) },
    },
    (context) => context.json({ ...asOf(), alerts: alerts.list() }),
  )
  operation(
    app,
    components,
    {
      method: 'post',
      path: '/alerts/{alert}/test',
      summary: 'Send a notice of the state "test" by the command or webhook of an alert, once',
      description: 'It answers when the command has ended, or the webhook has answered.',
      scope: 'operate',
      params: z.object({ alert: z.string().describe('the name of the alert, like disk-low') }),
      answers: { 200: jsonAnswer('delivered, or not and why', alertTestSchema) },
      problems: { 404: 'there is no such alert, or ALERTS has no target for it' },
    },
    async (context, { params: { alert = '' } }) => {
      const { tookMs, problem } = await alerts.test(alert, { signal: context.req.raw.signal })
      return context.json({
        ...asOf(),
        delivered: problem === undefined,
        tookMs,
        ...(problem === undefined ? {} : { problem }),
      })
    },
  )
}
