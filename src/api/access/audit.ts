import { appendFile, readFile, rename, stat } from 'node:fs/promises'
import type { MiddlewareHandler } from 'hono'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { AUDIT_FILE_BYTES } from '../constants.ts'
import type { ApiEnv } from '../env.ts'
import type { Principal } from './principal.ts'

/** One request to change something, by someone who is known: what was done, and what was refused. `at` in whole seconds. */
export type AuditEntry = {
  readonly at: number
  /** socket, token or session */
  readonly by: Principal['kind']
  /** of the token or the session; "operator" for `api.token` and the socket */
  readonly id: string
  readonly method: string
  /** without the query */
  readonly path: string
  readonly status: number
}

/** What was done, in the order in which it ended. The file has a bound; the one before it is kept beside it. */
export interface Audit {
  add(entry: Omit<AuditEntry, 'at'>): void
  /** The newest, newest first. */
  newest(max: number): Promise<AuditEntry[]>
}

/** Entries that are kept where there is no file. */
const IN_MEMORY = 1_000

/** Notes each request of someone who is known that is no mere look. */
export function noteRequests(audit: Pick<Audit, 'add'>): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    await next()
    const { method, path } = context.req
    const principal: Principal | undefined = context.get('principal')
    if (principal === undefined || method === 'GET' || method === 'HEAD') return
    const { kind: by, id } = principal
    audit.add({ by, id, method, path: sanitizeText(path, 200), status: context.res.status })
  }
}

export function createAudit({ clock, log, path }: { clock: Clock; log: Log; path?: string | undefined }): Audit {
  const recent: AuditEntry[] = []
  let writing = Promise.resolve()

  async function append(line: string): Promise<void> {
    if (path === undefined) return
    const size = (await stat(path).catch(() => undefined))?.size ?? 0
    if (size + line.length > AUDIT_FILE_BYTES) await rename(path, `${path}.1`)
    await appendFile(path, line, { mode: 0o600 })
  }

  async function linesOf(file: string): Promise<AuditEntry[]> {
    const text = await readFile(file, 'utf8').catch(() => '')
    return text.split('\n').flatMap((line) => entryIn(line) ?? [])
  }

  return {
    add(entry) {
      const whole = { at: Math.floor(clock.now() / 1000), ...entry }
      if (recent.push(whole) > IN_MEMORY) recent.shift()
      writing = writing
        .then(() => append(`${JSON.stringify(whole)}\n`))
        .catch((error: unknown) => log.error('the audit log could not be written', { reason: messageOf(error) }))
    },
    async newest(max) {
      if (path === undefined) return recent.slice(-max).toReversed()
      await writing
      const last = await linesOf(path)
      const before = last.length < max ? await linesOf(`${path}.1`) : []
      return [...before, ...last].slice(-max).toReversed()
    },
  }
}

function entryIn(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry
  } catch {
    // a line that a loss of power cut
    return undefined
  }
}
