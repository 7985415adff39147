import type { HttpBindings } from '@hono/node-server'

/** Bindings are there behind a real server, and not where a test calls `fetch`. */
export type ApiEnv = { Bindings: Partial<HttpBindings> & { operator?: boolean } }
