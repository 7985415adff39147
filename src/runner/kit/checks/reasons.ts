import { silenceOf } from '../../verdict-schema.ts'
import { type Check, fail, pass, skip } from '../contract.ts'
import { type CaseResult, listCases } from '../run-cases.ts'

export const reasons: Check = {
  name: 'reasons',
  demands: 'every refusal says why; what is parked says for what',
  async run({ results }) {
    const answered = results.filter((answer) => answer.verdict !== undefined)
    if (
      answered.length > 0 &&
      answered.every(({ verdict }) => verdict !== undefined && silenceOf(verdict) === 'no verdict')
    ) {
      return skip('it returns nothing, which means drop, so there is no reason to show')
    }
    const wrong = answered.filter((answer) => problemIn(answer) !== undefined)
    return wrong.length > 0
      ? fail(listCases(wrong, (answer) => problemIn(answer) ?? ''))
      : pass('every refusal says why')
  },
}

function problemIn({ verdict }: CaseResult): string | undefined {
  if (verdict === undefined) return undefined
  if (silenceOf(verdict) !== undefined) return 'no reason given'
  const { run, park = [], reasons: given } = verdict
  if (given.some(({ message }) => message.trim() === '')) return 'a reason without text'
  if (run !== false) {
    return given.every(({ outcome }) => outcome === 'pass') ? undefined : 'runs the service with a reason not to'
  }
  if (given.every(({ outcome }) => outcome === 'pass')) return 'refused, and no reason is a "fail" or a "defer"'
  return park.length > 0 && given.every(({ outcome }) => outcome !== 'defer')
    ? 'parked, and no reason is a "defer"'
    : undefined
}
