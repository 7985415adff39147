import type { HttpBindings } from '@hono/node-server'
import type { Principal } from './access/principal.ts'

/** Bindings are there behind a real server, and not where a test calls `fetch`. */
export type ApiEnv = {
  Bindings: Partial<HttpBindings> & { operator?: boolean; secure?: boolean }
  /** `principal`: where the route asked for a scope */
  Variables: { principal: Principal }
}
