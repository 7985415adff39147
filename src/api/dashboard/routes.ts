import type { Context } from 'hono'
import type { ApiEnv } from '../env.ts'
import type { App } from '../routes/route.ts'
import { type Asset, createAssets } from './assets.ts'

/** Names of files with a hash never change their content. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** A page of the dashboard: it has no file of its own, the program of the dashboard draws it. */
const PAGE = /^(?:[a-z]+(?:\/[A-Za-z0-9]+)?)?$/

/** The dashboard: files that are open to anyone. What they show comes from the routes of the operator. */
export function dashboardRoutes(app: App): void {
  const assets = createAssets()

  app.get('/', (context) => context.redirect('/dashboard/', 302))
  app.get('/dashboard', (context) => context.redirect('/dashboard/', 308))
  app.get('/dashboard/*', async (context) => {
    const name = pathOf(context).slice('/dashboard/'.length)
    const accepts = context.req.header('accept-encoding')
    const file = name === 'index.html' ? undefined : await assets.find(name, accepts)
    if (file !== undefined) return answer(context, file, IMMUTABLE)
    if (!PAGE.test(name)) return context.notFound()
    const page = await assets.find('index.html', accepts)
    if (page !== undefined) return answer(context, page, 'no-cache')
    return context.json(
      { error: 'the dashboard is not built; in a checkout, `npm run build:dashboard` builds it' },
      404,
    )
  })
}

/** As the client wrote it: what is escaped in a path is nobody's name for a file. */
function pathOf({ req }: Context<ApiEnv>): string {
  return new URL(req.raw.url).pathname
}

function answer(context: Context<ApiEnv>, { body, type, encoding, etag }: Asset, caching: string): Response {
  const headers: Record<string, string> = { 'Cache-Control': caching, ETag: etag, Vary: 'Accept-Encoding' }
  if (context.req.header('if-none-match') === etag) return context.body(null, 304, headers)
  headers['Content-Type'] = type
  headers['Content-Length'] = String(body.byteLength)
  if (encoding !== undefined) headers['Content-Encoding'] = encoding
  if (context.req.method === 'HEAD') return context.body(null, 200, headers)
  return context.body(body, 200, headers)
}
