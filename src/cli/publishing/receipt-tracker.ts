import { RUN_RULES } from '../../../protocols/receipt.ts'
import { joinWords, sanitizeText } from '../../base/format.ts'
import type { ReceiptView } from '../../node/types.ts'
import { lastLinesOf } from '../../services/output-lines.ts'
import { DISPOSITIONS, REDIRECTED } from '../output/disposition-texts.ts'
import type { Output } from '../output/output.ts'
import { ago, idFormats } from '../output/text.ts'

/** The newest receipt of each node about one service; each new one is printed as it comes. */
export interface ReceiptTracker {
  take(receipt: ReceiptView): void
  /** A node that is known to hold the code. */
  hold(peerId: string): void
  /** the newest receipt of each node */
  answers(): readonly ReceiptView[]
  /** nodes where it is healthy or done */
  readonly running: number
  readonly holding: number
  /** "1 runs it, 2 refused" */
  summary(): string
}

const TEXTS: Record<string, string> = Object.fromEntries(
  Object.entries(DISPOSITIONS).map(([state, { there }]) => [state, there]),
)

export function createReceiptTracker(out: Output): ReceiptTracker {
  const latest = new Map<string, ReceiptView>()
  const holders = new Set<string>()
  const { peer } = idFormats(out.terminal)
  const inState = (...states: string[]) => [...latest.values()].filter(({ state }) => states.includes(state)).length
  return {
    take(receipt) {
      const before = latest.get(receipt.peerId)
      if (before !== undefined && (before.at > receipt.at || contentOf(before) === contentOf(receipt))) return
      latest.set(receipt.peerId, receipt)
      if (receipt.state === 'running' || receipt.state === 'done') holders.add(receipt.peerId)
      out.item({ event: 'receipt', ...receipt }, () => receiptLine(receipt, peer(receipt.peerId)))
    },
    hold(peerId) {
      if (holders.has(peerId)) return
      holders.add(peerId)
      out.item({ event: 'holder', peerId }, () => `${peer(peerId)}  holds the archive`)
    },
    answers: () => [...latest.values()],
    get running() {
      return inState('running', 'done')
    },
    get holding() {
      return holders.size
    },
    summary() {
      const counts = new Map<string, number>()
      for (const { state, reasons } of latest.values()) {
        const word = receiptText(state, reasons)
        counts.set(word, (counts.get(word) ?? 0) + 1)
      }
      const shown = [...counts].map(([word, count]) => `${count} ${word}`)
      return shown.length === 0 ? 'no node has answered' : joinWords(shown)
    },
  }
}

/** `reasons`: where a run has begun, it is said so; "will run it" is said before. */
export function receiptText(state: string, reasons: readonly { readonly rule: string }[] = []): string {
  if (state === 'accepted' && reasons.some(({ rule }) => rule === RUN_RULES.exit || rule === RUN_RULES.restart))
    return 'starts it again'
  if (state === 'accepted' && reasons.some(({ rule }) => rule === RUN_RULES.health)) return 'starts it'
  return (Object.hasOwn(TEXTS, state) ? TEXTS[state] : undefined) ?? sanitizeText(state, 40)
}

/** Lines of output that one line of text names; all of them are in the JSON, and in `logs`. */
const SHOWN_OUTPUT = 3

/** `…AbCdEfGh  refused: wants 1 GiB, at most 256 MiB are given` */
export function receiptLine(receipt: ReceiptView, who: string): string {
  return `${who}  ${receiptSentence(receipt)}`
}

/** The same without the node, as part of a sentence. */
export function receiptSentence({ state, redirected, reasons }: ReceiptView): string {
  const word = receiptText(state, reasons)
  const also = redirected && state !== 'redirected' ? `, and ${REDIRECTED.there}` : ''
  const kept = reasons.some(({ rule, outcome }) => rule === RUN_RULES.outputs && outcome === 'pass')
  const own: readonly string[] = [RUN_RULES.output, RUN_RULES.outputs]
  const shown = reasons.filter(({ rule, outcome }) => outcome !== 'pass' && !own.includes(rule))
  const why = shown.map(({ message }) => sanitizeText(message, 200))
  const written = reasons.filter(({ rule }) => rule === RUN_RULES.output).map(({ message }) => message)
  const output = lastLinesOf(written, SHOWN_OUTPUT)
  if (output.length > 0) why.push(`it wrote ${output.map((line) => JSON.stringify(sanitizeText(line, 200))).join(' ')}`)
  const results = kept ? ', and keeps its results' : incompleteText(reasons)
  return `${word}${also}${results}${why.length === 0 ? '' : `: ${why.join('; ')}`}`
}

/** `; results bafy... (incomplete: no file at "a.json")` */
function incompleteText(reasons: ReceiptView['reasons']): string {
  const failed = reasons.find(({ rule, outcome }) => rule === RUN_RULES.outputs && outcome !== 'pass')
  if (failed === undefined) return ''
  const message = sanitizeText(failed.message, 300)
  const [, code, detail] = /^(bafy\w+): (.+)$/.exec(message) ?? []
  return code === undefined ? `; no results: ${message}` : `; results ${code} (incomplete: ${detail})`
}

/** `…AbCdEfGh does not answer now; 40s ago it reported: runs it, healthy`, for a sentence */
export function lastAnswerLine(receipt: ReceiptView, who: string, nowSeconds: number): string {
  return `${who} does not answer now; ${ago(receipt.at, nowSeconds)} it reported: ${receiptSentence(receipt)}`
}

/** What a receipt says, without when, and without what grows all the time. */
function contentOf({ state, reasons }: ReceiptView): string {
  const news = reasons.filter(({ rule }) => rule !== RUN_RULES.usage)
  return JSON.stringify([state, news.map(({ rule, message }) => [rule, message])])
}
