import type { Alerts } from '../alerts/index.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { ThundercloudNode } from '../node/types.ts'
import type { Audit } from './access/audit.ts'
import type { Credentials } from './access/guard.ts'
import type { Tokens } from './access/tokens.ts'

export interface ApiComponents {
  readonly node: ThundercloudNode
  readonly clock: Clock
  readonly log: Log
  /** default: the system's */
  readonly rng?: Pick<Rng, 'bytes'> | undefined
  /** what the operator proves to be the operator with */
  readonly token: string
  /** further ones; default: in memory */
  readonly tokens?: Tokens | undefined
  /** default: in memory */
  readonly audit?: Audit | undefined
  /** where it listens, as the operator wrote it: besides IP addresses and localhost, the name that the operator's routes answer to */
  readonly host?: string | undefined
  /** What a Prometheus gets; without, the operator has not asked for it. */
  readonly metrics?: { readonly contentType: string; text(): Promise<string> } | undefined
  /** whom the operator has told of which fault; default: none */
  readonly alerts?: Pick<Alerts, 'list' | 'test'> | undefined
}

/**
 * The HTTP API of one node, as a fetch handler. Disposing it ends its event streams.
 *
 * @example
 * using api = createApi({ node, clock, log, token })
 * await using served = await serveApi(api, '127.0.0.1', 4981)
 */
export interface Api extends Disposable {
  /** `bindings.operator`: it came by a way that is the operator's alone. */
  fetch(request: Request, bindings?: object): Response | Promise<Response>
  /** Whether a request with these headers is from someone with a token or a session. */
  knows(credentials: Credentials): boolean
}

export interface ServedApi extends AsyncDisposable {
  /** the real one, also where port 0 was asked for */
  readonly port: number
  /** how a program on this machine reaches it: "http://127.0.0.1:4981" */
  readonly url: string
}
