import { lastAnswerLine, receiptSentence } from '../publishing/receipt-tracker.ts'
import type { Answer } from './ask-all.ts'
import { hasRun, type Version } from './service-target.ts'

/** Nodes named in one sentence. */
const MAX_SHOWN = 4

/** Why no node has the run, as reported by those that answered, and by those that reported it before. */
export function noRunReason(init: {
  versions: readonly Version[]
  answers: readonly Answer[]
  nowSeconds: number
}): string {
  const stopped = init.versions[0]?.stopped === true ? ['its author has stopped it'] : []
  const lines = [...stopped, ...linesOf(init)]
  if (lines.length > 0) return lines.slice(0, MAX_SHOWN).join(' | ')
  return init.answers.length === 0 ? 'no node answered' : 'no node that answered knows of a run of it'
}

/** Newest version first. */
function linesOf({ versions, answers, nowSeconds }: Parameters<typeof noRunReason>[0]): string[] {
  const answered = new Set(answers.map(({ receipt }) => receipt.peerId))
  const lines = versions.flatMap((version) => {
    const which = versions.length > 1 && version.seq !== undefined ? `version ${version.seq}: ` : ''
    const own = answers.filter((answer) => answer.version === version).map(({ receipt }) => receipt)
    const silent = version.reports.filter(({ peerId }) => version.peers.includes(peerId) && !answered.has(peerId))
    return [
      ...own.map((receipt) => ({ receipt, line: `${which}${receipt.peerId} ${receiptSentence(receipt)}` })),
      ...silent.map((receipt) => ({ receipt, line: `${which}${lastAnswerLine(receipt, receipt.peerId, nowSeconds)}` })),
    ]
  })
  // a node that only passed it on is named only if no other node answered
  const known = lines.filter(({ receipt }) => receipt.state !== 'unknown' && !stoppedWithoutRun(receipt))
  const informative = known.filter(({ receipt }) => receipt.state !== 'redirected')
  return (informative.length > 0 ? informative : known).map(({ line }) => line)
}

/** It knows that the service is over, and never had a run of it. */
function stoppedWithoutRun(receipt: Answer['receipt']): boolean {
  return receipt.state === 'stopped' && !hasRun(receipt)
}
