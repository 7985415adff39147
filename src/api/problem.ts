import { messageOf } from '../base/errors.ts'
import { HttpProblem, statusOf } from './http-errors.ts'

/** A problem document (RFC 9457). `code` is stable; `fix` is what to do next, where one thing helps. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly fix?: string | undefined
}

type Kind = { readonly code: string; readonly title: string; readonly fix?: string }

const KINDS: Readonly<Record<number, Kind>> = {
  400: { code: 'invalid', title: 'The request is wrong' },
  401: {
    code: 'unauthenticated',
    title: 'Nobody is logged in',
    fix: 'send a token as "Authorization: Bearer <token>", or log in with `thundercloud dashboard`',
  },
  403: { code: 'forbidden', title: 'This is not allowed' },
  404: { code: 'not-found', title: 'There is no such thing' },
  408: { code: 'too-slow', title: 'The body did not arrive in time', fix: 'send it again' },
  413: { code: 'too-large', title: 'The body is too large' },
  415: { code: 'media-type', title: 'The body has another Content-Type' },
  429: { code: 'too-many', title: 'Too much is asked for', fix: 'ask again after the seconds of Retry-After' },
  503: { code: 'unavailable', title: 'This does not work now', fix: 'ask again after the seconds of Retry-After' },
  507: {
    code: 'no-space',
    title: 'There is no disk space',
    fix: 'free disk space, or remove code with `thundercloud code gc`',
  },
}
const INTERNAL: Kind = {
  code: 'internal',
  title: 'The node failed',
  fix: "look into the node's log",
}

/** The problem document of an error. The text of an internal error (500) stays in the node's log. */
export function problemOf(error: unknown): Problem {
  const status = statusOf(error)
  const detail = status === 500 ? 'something went wrong in the node; its log says what' : messageOf(error)
  return problem(status, detail, error instanceof HttpProblem ? error.more : {})
}

/** What ends an answer that has begun. It is about the operator's own files and runs, and says what went wrong. */
export function streamProblemOf(error: unknown): Problem {
  return problem(statusOf(error), messageOf(error))
}

export function problem(status: number, detail: string, more: { code?: string; fix?: string } = {}): Problem {
  const kind = KINDS[status] ?? INTERNAL
  const code = more.code ?? kind.code
  const fix = more.fix ?? (more.code === undefined ? kind.fix : undefined)
  return { type: `urn:thundercloud:problem:${code}`, title: kind.title, status, detail, code, fix }
}

export const PROBLEM_TYPE = 'application/problem+json'
