import { deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { formatMs } from '../../base/format.ts'
import type { ReceiptView } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { OutcomeError } from '../errors.ts'
import { commandText } from '../output/command-text.ts'
import { idFormats } from '../output/text.ts'
import { type ReceiptTracker, receiptLine } from './receipt-tracker.ts'
import { keepsFailing, type Outcome, WAIT_EXIT, waitOutcome } from './wait-outcome.ts'

/** Node answers that a sentence names; `status` shows all. */
const MAX_SHOWN = 4

export type WaitInit = {
  readonly id: string
  readonly name: string
  readonly replicas: number
  readonly timeoutSeconds: number
  /** The command that asks the nodes what they do with it, where this one can be typed again without more. */
  readonly status?: string | undefined
  readonly tracker: ReceiptTracker
}

/** Waits until the service is healthy on as many nodes as it wants, or it is clear that it will not be. */
export interface Wait extends Disposable {
  /** Aborts with the time-out or the program's end. */
  readonly signal: AbortSignal
  /** To be called after each look: true when there is nothing to wait for any more. */
  over(neighbours?: number): boolean
  /** Reports the outcome; throws if it is not healthy. `cause`: what ended the waiting, if it threw. */
  report(cause?: unknown): void
}

export function startWait(cli: Cli, { id, name, replicas, timeoutSeconds, status, tracker }: WaitInit): Wait {
  const { clock, out } = cli
  const patience = deadline(clock, timeoutSeconds * 1000, new TimeoutError('the time is up'), cli.signal)
  let outcome: Outcome | undefined
  let known = ''
  let since = clock.monotonic()

  function reasonsOf(which: (answer: ReceiptView) => boolean): string {
    const { peer } = idFormats(out.terminal)
    const lines = tracker
      .answers()
      .filter(which)
      .map((answer) => receiptLine(answer, peer(answer.peerId)))
    const more = lines.length - MAX_SHOWN
    return `${lines.slice(0, MAX_SHOWN).join(' | ')}${more > 0 ? ` | and ${more} more` : ''}`
  }

  /** Of the answers, which were printed as they came; in JSON the sentence is alone, so that it has the reasons too. */
  function because(which: (answer: ReceiptView) => boolean): string {
    const answers = tracker.answers().filter(which)
    if (answers.length === 0) return ''
    return out.json ? `: ${reasonsOf(which)}` : `, for the reason${answers.length === 1 ? '' : 's'} above`
  }

  function sentence(what: Outcome): string {
    const word = JSON.stringify(name)
    const isNo = ({ state }: ReceiptView) => state === 'refused' || state === 'redirected'
    const others = because((answer) => !isNo(answer))
    switch (what) {
      case 'healthy':
        return `It is healthy or done on ${tracker.running} of ${replicas} wanted nodes.`
      case 'refused':
        return `no node runs ${word}: all that answered refused it or only passed it on${because(isNo)}`
      case 'failed': {
        const failing = tracker.answers().some(keepsFailing)
        const stop = commandText(cli, ['stop', name])
        const goesOn = failing ? `; it is started again, with growing pauses, until ${stop}` : ''
        return `${word} failed${others}${goesOn}`
      }
      case 'unknown': {
        const asks = tracker.answers().length === 0 || status === undefined ? '' : `; ${status} asks them again`
        return `after ${formatMs(timeoutSeconds * 1000)}, ${tracker.running} of ${replicas} wanted nodes run ${word}, healthy (${tracker.summary()})${out.json ? others : ''}${asks}`
      }
    }
  }

  return {
    signal: patience.signal,
    over(neighbours) {
      const answers = tracker.answers()
      const now = JSON.stringify(answers)
      if (now !== known) since = clock.monotonic()
      known = now
      outcome = waitOutcome({ answers, replicas, neighbours, quietMs: clock.monotonic() - since })
      return outcome !== undefined
    },
    report(cause) {
      if (outcome === undefined && (cli.signal.aborted || !patience.signal.aborted)) throw cause
      const answers = tracker.answers()
      const what = outcome ?? waitOutcome({ answers, replicas, quietMs: Number.POSITIVE_INFINITY }) ?? 'unknown'
      const text = sentence(what)
      const exitCode = WAIT_EXIT[what]
      const event = what === 'healthy' ? 'running' : what
      const result = { event, id, outcome: what, nodes: tracker.running, exitCode }
      if (what === 'healthy') return out.item(result, () => text)
      if (out.json) out.item({ ...result, reason: text }, () => text)
      throw new OutcomeError(text, exitCode, { cause })
    },
    [Symbol.dispose]: () => patience[Symbol.dispose](),
  }
}
