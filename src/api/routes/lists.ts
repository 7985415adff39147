import { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { RUN_STATES } from '../../base/run-record.ts'
import type { ServiceState } from '../../node/types.ts'
import { VERDICT_KINDS } from '../../services/lists/types.ts'
import { DEFAULT_PAGE, MAX_PAGE } from '../constants.ts'
import {
  dormitoryPageSchema,
  receiptsPageSchema,
  runsPageSchema,
  serviceCountsSchema,
  servicesPageSchema,
} from '../schemas/lists.ts'
import { serviceState } from '../schemas/views.ts'
import { ShapeError } from '../shape.ts'
import { jsonAnswer, operation } from './operation.ts'
import type { App, RouteComponents } from './route.ts'

const page = {
  limit: z.coerce
    .number(`limit must be a whole number from 1 to ${MAX_PAGE}`)
    .int(`limit must be a whole number from 1 to ${MAX_PAGE}`)
    .min(1, `limit must be a whole number from 1 to ${MAX_PAGE}`)
    .max(MAX_PAGE, `limit must be a whole number from 1 to ${MAX_PAGE}`)
    .default(DEFAULT_PAGE)
    .describe('items of a page'),
  cursor: z.string().max(40).optional().describe('the `next` of the page before; missing: the first page'),
}

const servicesQuery = z.object({
  ...page,
  state: z.string().optional().describe('states, separated by commas'),
  verdict: z
    .enum(VERDICT_KINDS, `verdict must be one of ${VERDICT_KINDS.join(', ')}`)
    .optional()
    .describe('what the verdict in force comes to'),
  author: z.string().max(200).optional().describe('an address'),
  search: z
    .string()
    .max(100, 'search has more than 100 characters')
    .optional()
    .describe('a text of the name, the title, the description or a keyword, whatever its case'),
})
const runsQuery = z.object({
  ...page,
  state: z.enum(RUN_STATES, `state must be one of ${RUN_STATES.join(', ')}`).optional(),
  service: z.string().max(200).optional().describe('the id of a service'),
})
const receiptsQuery = z.object({ ...page, service: z.string().max(200).optional().describe('the id of a service') })

/**
 * What this node knows, page by page, newest first. A page may have fewer items than its limit, or none, and a `next`: a filter
 * that finds little ends after a few milliseconds, so that announcements do not wait for it.
 */
export function listRoutes(app: App, components: RouteComponents): void {
  const { node } = components
  const asOf = () => ({ asOf: node.asOf() })

  operation(
    app,
    components,
    {
      method: 'get',
      path: '/services',
      summary: 'Services that are known here, newest first',
      scope: 'read',
      query: servicesQuery,
      answers: { 200: jsonAnswer('a page of them', servicesPageSchema) },
    },
    (context, { query: { state, ...query } }) => {
      const { items, next } = node.lists.services({ ...query, states: statesIn(state) })
      return context.json({ ...asOf(), services: items, next })
    },
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/services/counts',
      summary: 'How many services there are by the verdict on them',
      scope: 'read',
      answers: { 200: jsonAnswer('counts', serviceCountsSchema) },
    },
    (context) => context.json({ ...asOf(), ...node.lists.counts() }),
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/runs',
      summary: 'Runs of this node, newest first',
      scope: 'read',
      query: runsQuery,
      answers: { 200: jsonAnswer('a page of them', runsPageSchema) },
    },
    (context, { query }) => {
      const { items, next } = node.lists.runs(query)
      return context.json({ ...asOf(), runs: items, next })
    },
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/receipts',
      summary: 'What other nodes said of services that were published here, newest first',
      scope: 'read',
      query: receiptsQuery,
      answers: { 200: jsonAnswer('a page of them', receiptsPageSchema) },
    },
    (context, { query }) => {
      const { items, next } = node.lists.receipts(query)
      return context.json({ ...asOf(), receipts: items, next })
    },
  )
  operation(
    app,
    components,
    {
      method: 'get',
      path: '/dormitory',
      summary: 'Services that wait, what each waits for, and why',
      scope: 'read',
      query: z.object(page),
      answers: { 200: jsonAnswer('a page of them', dormitoryPageSchema) },
    },
    (context, { query }) => {
      const { items, next } = node.lists.dormitory(query)
      return context.json({ ...asOf(), parked: items, next })
    },
  )
}

function statesIn(text: string | undefined): ServiceState[] | undefined {
  if (text === undefined) return undefined
  try {
    return text.split(',').map((each) => serviceState.read(each, 'state'))
  } catch (error) {
    throw error instanceof ShapeError ? new InputError(error.message) : error
  }
}
