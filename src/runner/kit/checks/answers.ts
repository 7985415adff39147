import { type Check, fail, pass } from '../contract.ts'
import { type CaseResults, isSerious, listCases, problemOf } from '../run-cases.ts'

export const answers: Check = {
  name: 'answers',
  demands: 'answers about ordinary services, without throwing, hanging or dying',
  async run({ results }) {
    const failed = unanswered(results).filter(({ hostile }) => !hostile)
    return failed.length > 0 ? fail(listCases(failed, problemOf)) : pass(`${results.length} questions`)
  },
}

export const hostile: Check = {
  name: 'hostile',
  demands:
    'survives services that are empty, as long as allowed, full of odd characters, or named like parts of objects',
  async run({ results }) {
    const failed = unanswered(results).filter((answer) => answer.hostile)
    if (failed.length > 0) return fail(listCases(failed, problemOf))
    const asked = results.filter((answer) => answer.hostile)
    return pass(`${asked.length} questions`)
  },
}

export const inTime: Check = {
  name: 'in-time',
  demands: 'needs at most half of its time, also when many ask at once',
  async run({ results, options }) {
    const limitMs = options.limits?.timeoutMs ?? 2000
    const slow = results.filter(({ durationMs, error }) => durationMs > limitMs / 2 || error?.kind === 'timeout')
    if (slow.length > 0) {
      return fail(`${listCases(slow, ({ durationMs }) => `${Math.round(durationMs)} ms`)}; it has ${limitMs} ms`)
    }
    const slowest = Math.max(...results.map(({ durationMs }) => durationMs))
    return pass(`the slowest took ${Math.ceil(slowest)} of ${limitMs} ms`)
  },
}

export const shape: Check = {
  name: 'shape',
  demands: 'what it returns is a verdict, or nothing',
  async run({ results }) {
    const wrong = results.filter(({ error }) => error?.kind === 'nonsense')
    return wrong.length > 0 ? fail(listCases(wrong, problemOf)) : pass('every answer is a verdict')
  },
}

function unanswered(results: CaseResults): CaseResults {
  return results.filter(({ error }) => error !== undefined && (error.kind === 'threw' || isSerious(error)))
}
