import type { Outcome, RejectionReason } from './types.ts'

const REASONS: Record<Exclude<RejectionReason, 'invalid'>, { reason: string; retry: boolean }> = {
  early: { reason: 'it is issued in the future, by more than clocks may differ', retry: true },
  expired: { reason: 'it has expired', retry: false },
  older: { reason: 'a newer version of it, or a stop, is known', retry: false },
  'author-services': { reason: 'its author has as many live services here as one author may have', retry: true },
  'author-rate': { reason: 'its author has announced too many new services in a minute', retry: true },
  'author-updates': { reason: 'its author has updated services too often in a minute', retry: true },
  'peer-authors': { reason: 'too many new authors came from there in a minute', retry: true },
  'queue-full': { reason: 'too many services wait for their verdict', retry: true },
  'waiting-full': { reason: 'too many copies wait for a verdict', retry: true },
  'missed-full': { reason: 'too much was ignored to remember it all', retry: true },
  journal: { reason: 'the journal cannot be written now', retry: true },
}

export function rejection(why: Exclude<RejectionReason, 'invalid'>): Outcome {
  return { outcome: 'refused', why, ...REASONS[why] }
}
