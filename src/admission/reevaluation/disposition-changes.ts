import type { AddressTexts } from '../../base/address-texts.ts'
import type { Reason, Verdict } from '../../base/verdict.ts'
import { dispositionOf } from '../disposition.ts'
import type { Subject } from '../evaluate.ts'
import type { Change, Disposition } from '../views.ts'

/** `before`: the verdict that was in force, where there was one. `claims`: it begins only when its claim stands. */
export function changeOf(
  { id, signed }: Subject,
  {
    from,
    before,
    verdict,
    claims = false,
  }: { from: Disposition; before: Verdict | undefined; verdict: Verdict; claims?: boolean },
  texts: AddressTexts,
): Change {
  const author = texts.ofBytes(signed.body.author)
  const to = dispositionOf(verdict)
  const because = decisive(before, verdict)
  const change = { id, name: signed.body.name, author, from, to, reasons: verdict.reasons, because }
  return claims && to === 'run' ? { ...change, claims } : change
}

function decisive(before: Verdict | undefined, { run, reasons }: Verdict): Reason | undefined {
  if (run === false) return reasons.find(stops)
  const stopped = new Set(before?.reasons.filter(stops).map(({ rule }) => rule))
  return reasons.find(({ rule }) => stopped.has(rule))
}

function stops({ outcome }: Reason): boolean {
  return outcome !== 'pass'
}

/** One for each service, from its first disposition to its last: one that was woken may have to make way again. */
export function netOf(changes: readonly Change[]): Change[] {
  const net = new Map<string, Change>()
  for (const change of changes) net.set(change.id, { ...change, from: net.get(change.id)?.from ?? change.from })
  return [...net.values()].filter(({ from, to }) => from !== to)
}
