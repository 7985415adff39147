import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { errnoOf, InputError, messageOf, NotFoundError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Rng } from '../../base/rng.ts'
import { MAX_TOKENS, TOKEN_LOOK_MS } from '../constants.ts'
import { digestOf } from './digest.ts'
import { type Principal, SCOPES, type Scope } from './principal.ts'

/** A token beside the operator's. Times are whole seconds. */
export type TokenView = {
  readonly id: string
  readonly name: string
  readonly scope: Scope
  readonly createdAt: number
  readonly expires: number
}

/** Tokens with a scope and an end. Their digests are kept in one file; a token is shown once. */
export interface Tokens extends Disposable {
  principal(token: string): Principal | undefined
  list(): TokenView[]
  create(init: { name: string; scope: Scope; seconds: number }): Promise<{ secret: string; token: TokenView }>
  /** Ends it and its streams at once. Throws NotFoundError. */
  revoke(id: string): Promise<void>
}

const storedSchema = z.array(
  z.strictObject({
    id: z.string(),
    name: z.string(),
    scope: z.enum(SCOPES),
    createdAt: z.int(),
    expires: z.int(),
    digest: z.string(),
  }),
)
type Stored = TokenView & { readonly digest: string }

const ID_BYTES = 6
const SECRET_BYTES = 32

export type TokensInit = {
  readonly clock: Clock
  readonly rng: Pick<Rng, 'bytes'>
  /** undefined: they end with the process */
  readonly path?: string | undefined
}

/** Those of a file. Throws an InputError where it is damaged. */
export async function openTokens(init: TokensInit & { readonly path: string }): Promise<Tokens> {
  return createTokens(init, await read(init.path))
}

export function createTokens({ clock, rng, path }: TokensInit, stored: readonly Stored[] = []): Tokens {
  const tokens = new Map<string, Stored & { readonly ended: AbortController }>()
  for (const token of stored) tokens.set(token.digest, { ...token, ended: new AbortController() })

  function end(token: Stored & { readonly ended: AbortController }): void {
    tokens.delete(token.digest)
    token.ended.abort(new Error('the token has ended'))
  }
  function sweep(): void {
    const now = nowSeconds(clock)
    for (const token of [...tokens.values()]) if (token.expires <= now) end(token)
  }
  // a stream of a token that has expired must not go on
  const sweeping = clock.every(TOKEN_LOOK_MS, sweep)
  let writing = Promise.resolve()
  function save(): Promise<void> {
    if (path === undefined) return writing
    const kept = () => [...tokens.values()].map(({ ended: _ended, ...stored }) => stored)
    writing = writing
      .catch(() => {})
      .then(() => writeFileAtomic(path, `${JSON.stringify(kept(), null, 2)}\n`, { mode: 0o600 }))
    return writing
  }

  return {
    principal(secret) {
      const token = tokens.get(digestOf(secret))
      if (token === undefined || token.expires <= nowSeconds(clock)) return undefined
      const { id, scope, expires, ended } = token
      return { kind: 'token', id, scope, expires, ended: ended.signal }
    },
    list() {
      sweep()
      return [...tokens.values()].map(viewOf)
    },
    async create({ name, scope, seconds }) {
      sweep()
      if (tokens.size >= MAX_TOKENS) throw new InputError(`there are ${MAX_TOKENS} tokens already; revoke one first`)
      const id = Buffer.from(rng.bytes(ID_BYTES)).toString('hex')
      const secret = `tc_${Buffer.from(rng.bytes(SECRET_BYTES)).toString('base64url')}`
      const createdAt = nowSeconds(clock)
      const token = {
        ...{ id, name: sanitizeText(name, 64), scope, createdAt, expires: createdAt + seconds },
        ...{ digest: digestOf(secret), ended: new AbortController() },
      }
      tokens.set(token.digest, token)
      await save().catch((error: unknown) => {
        end(token)
        throw error
      })
      return { secret, token: viewOf(token) }
    },
    async revoke(id) {
      const found = [...tokens.values()].find((token) => token.id === id)
      if (found === undefined) throw new NotFoundError(`there is no token "${sanitizeText(id, 40)}"`)
      end(found)
      await save()
    },
    [Symbol.dispose]: () => sweeping.cancel(),
  }
}

function viewOf({ id, name, scope, createdAt, expires }: Stored): TokenView {
  return { id, name, scope, createdAt, expires }
}

async function read(path: string): Promise<Stored[]> {
  try {
    return storedSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw new InputError(
      `${path} is damaged (${messageOf(error).slice(0, 200)}); remove it, and all tokens but api.token`,
      {
        cause: error,
      },
    )
  }
}
