import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { messageOf, NotFoundError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import type { Journal } from '../journal/index.ts'
import { diffLines } from './line-diff.ts'

/**
 * Who put a policy in force. `socket`: over the operator's socket, as the command line does. `file`: config.json was changed on the
 * disk and read. `id`: of the token or the session. `label`: the name of the token, for people.
 */
export type PolicyAuthor = {
  readonly kind: 'socket' | 'token' | 'session' | 'file'
  readonly id: string
  readonly label: string
}

/** One policy that was put in force. `at` in seconds. */
export type PastPolicy = {
  /** grows by one with each, and is never used again */
  readonly number: number
  readonly at: number
  readonly sha256: string
  readonly bytes: number
  readonly by: PolicyAuthor
  /** lines, against the one before it */
  readonly added: number
  readonly removed: number
  /** it is the one that was put in force last */
  readonly newest: boolean
  /** the older one whose text it has: it was brought back */
  readonly sameAs?: number | undefined
}

export type PastPolicyText = PastPolicy & { readonly text: string }

/** Policies that were put in force, with who did it. Journalled: it outlives restarts. */
export interface PolicyHistory {
  /** Newest first. */
  list(): PastPolicy[]
  /** Throws NotFoundError. */
  get(number: number): PastPolicyText
  /** A text is about to be written to config.json: should the node end before it is in force, the next start knows by whom. */
  intend(text: string, by: PolicyAuthor): void
  /** It was not put in force. */
  forgetIntent(): void
  /** This text is in force from now on. One that was in force already is not noted again. */
  note(text: string | undefined): void
}

const FILE: PolicyAuthor = { kind: 'file', id: '', label: '' }
/** The key of what is about to be in force. */
const INTENT = 'policy-intent'

export function createPolicyHistory({
  clock,
  log,
  journal,
}: {
  clock: Clock
  log: Log
  journal: Pick<Journal, 'policies' | 'meta' | 'transaction'>
}): PolicyHistory {
  const { policies, meta } = journal

  function intentFor(sha256: string): PolicyAuthor | undefined {
    const kept = meta.get(INTENT)
    if (kept === undefined || kept === '') return undefined
    const { sha256: wanted, by } = JSON.parse(kept) as { sha256: string; by: PolicyAuthor }
    return wanted === sha256 ? by : undefined
  }

  function list(): PastPolicy[] {
    const rows = policies.all()
    return rows.map(({ number, at, sha256, bytes, byKind, byId, byLabel, added, removed }, index) => ({
      ...{ number, sha256, bytes, added, removed, newest: index === 0, at: Math.floor(at / 1000) },
      by: { kind: byKind as PolicyAuthor['kind'], id: byId, label: byLabel },
      sameAs: rows.slice(index + 1).find((older) => older.sha256 === sha256)?.number,
    }))
  }

  return {
    list,
    get(number) {
      const found = list().find((each) => each.number === number)
      const text = found && policies.text(number)
      if (found !== undefined && text !== undefined) return { ...found, text }
      throw new NotFoundError(
        `there is no policy ${sanitizeText(String(number), 20)} in the history; \`thundercloud policy history\` lists those that are kept`,
      )
    },
    intend: (text, by) => meta.set(INTENT, JSON.stringify({ sha256: digestOf(text), by })),
    forgetIntent: () => meta.set(INTENT, ''),
    note(text) {
      if (text === undefined) return
      try {
        noteText(text)
      } catch (error) {
        // it is in force all the same
        log.error('a policy that is in force is not in the history', { reason: messageOf(error) })
      }
    },
  }

  function noteText(text: string): void {
    const sha256 = digestOf(text)
    const [before] = policies.all()
    if (before?.sha256 === sha256) return
    const { kind, id, label } = intentFor(sha256) ?? FILE
    const old = before === undefined ? '' : (policies.text(before.number) ?? '')
    const lines = diffLines(old, text)
    const count = (wanted: 'added' | 'removed') => lines.filter((line) => line.kind === wanted).length
    const by = { byKind: kind, byId: id, byLabel: label }
    journal.transaction(() => {
      policies.add({ ...by, at: clock.now(), sha256, text, added: count('added'), removed: count('removed') })
      meta.set(INTENT, '')
    })
  }
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
