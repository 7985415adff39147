import { sanitizeText } from '../../base/format.ts'
import type { CheckResult, RunnerReport } from './contract.ts'

const WORDS = { pass: 'ok  ', fail: 'FAIL', skip: 'skip' } as const
const MAX_DETAIL = 600

export function reportOf(runner: string, checks: readonly CheckResult[]): RunnerReport {
  const failed = checks.filter(({ outcome }) => outcome === 'fail').length
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.map(({ name, outcome, detail, demands }) => {
    const text = outcome === 'fail' ? `must be: ${demands}. ${detail}` : detail
    return `  ${WORDS[outcome]}  ${name.padEnd(width)}  ${sanitizeText(text, MAX_DETAIL)}`
  })
  const sum = failed === 0 ? 'keeps the contract of runners' : `fails ${failed} of ${checks.length} checks`
  return { runner, ok: failed === 0, checks, text: [`${runner} ${sum}`, ...lines].join('\n') }
}
