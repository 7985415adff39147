import type { AddressTexts } from '../../base/address-texts.ts'
import type { Verdict } from '../../base/verdict.ts'
import { dispositionOf } from '../disposition.ts'
import type { Subject } from '../evaluate.ts'
import type { Change, Disposition } from '../views.ts'

export function changeOf({ id, signed }: Subject, from: Disposition, verdict: Verdict, texts: AddressTexts): Change {
  const { author, name } = signed.body
  return { id, name, author: texts.ofBytes(author), from, to: dispositionOf(verdict), reasons: verdict.reasons }
}

/** One for each service, from its first disposition to its last: one that was woken may have to make way again. */
export function netOf(changes: readonly Change[]): Change[] {
  const net = new Map<string, Change>()
  for (const change of changes) net.set(change.id, { ...change, from: net.get(change.id)?.from ?? change.from })
  return [...net.values()].filter(({ from, to }) => from !== to)
}
