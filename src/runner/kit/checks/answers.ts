import { type Check, fail, pass } from '../contract.ts'
import { isSerious, problemOf, type Survey, tell } from '../run-cases.ts'

export const answers: Check = {
  name: 'answers',
  demands: 'answers about ordinary services, without throwing, hanging or dying',
  async run({ survey }) {
    const failed = unanswered(survey).filter(({ hostile }) => !hostile)
    return failed.length > 0 ? fail(tell(failed, problemOf)) : pass(`${survey.length} questions`)
  },
}

export const hostile: Check = {
  name: 'hostile',
  demands:
    'survives services that are empty, as long as allowed, full of odd characters, or named like parts of objects',
  async run({ survey }) {
    const failed = unanswered(survey).filter((answer) => answer.hostile)
    if (failed.length > 0) return fail(tell(failed, problemOf))
    const asked = survey.filter((answer) => answer.hostile)
    return pass(`${asked.length} questions`)
  },
}

export const inTime: Check = {
  name: 'in-time',
  demands: 'needs at most half of its time, also when many ask at once',
  async run({ survey, options }) {
    const limitMs = options.limits?.timeoutMs ?? 2000
    const slow = survey.filter(({ durationMs, error }) => durationMs > limitMs / 2 || error?.kind === 'timeout')
    if (slow.length > 0) {
      return fail(`${tell(slow, ({ durationMs }) => `${Math.round(durationMs)} ms`)}; it has ${limitMs} ms`)
    }
    const slowest = Math.max(...survey.map(({ durationMs }) => durationMs))
    return pass(`the slowest took ${Math.ceil(slowest)} of ${limitMs} ms`)
  },
}

export const shape: Check = {
  name: 'shape',
  demands: 'what it returns is a verdict, or nothing',
  async run({ survey }) {
    const wrong = survey.filter(({ error }) => error?.kind === 'nonsense')
    return wrong.length > 0 ? fail(tell(wrong, problemOf)) : pass('every answer is a verdict')
  },
}

function unanswered(survey: Survey): Survey {
  return survey.filter(({ error }) => error !== undefined && (error.kind === 'threw' || isSerious(error)))
}
