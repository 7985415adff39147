import { sanitizeText } from '../base/format.ts'
import { RunnerError, type RunnerFailure } from './errors.ts'

/** The module cannot be used: one sentence that names the file. */
export function loadError(entry: string, problem: string): RunnerError {
  return new RunnerError('load', `the runner ${entry} ${sanitizeText(problem, 400)}`)
}

/** What the process itself said of one request. */
export function reportedError(kind: RunnerFailure, problem: string): RunnerError {
  const text = sanitizeText(String(problem), 300)
  if (kind === 'threw') return new RunnerError('threw', `the runner threw ${text}`)
  if (kind === 'timeout') return new RunnerError('timeout', `the runner gave ${text}`)
  return new RunnerError('nonsense', `the runner answered nonsense: ${text}`)
}

/** A verdict of the right shape that gives more than there is to give. */
export function overreachError(problem: string): RunnerError {
  return new RunnerError('overreach', `the runner gave what it may not: ${sanitizeText(problem, 300)}`)
}

/** V8 aborts (by one of three signals) when the heap is full. */
const ABORTS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL'])

export function exitError(code: number | null, signal: string | null, stderrTail: string): RunnerError {
  if (/heap out of memory|heap limit/i.test(stderrTail) && signal !== null && ABORTS.has(signal)) {
    return new RunnerError('memory', 'the runner filled its heap')
  }
  const how = signal === null ? `with code ${code}` : `by ${signal}`
  return new RunnerError('died', `the runner's process ended ${how}`)
}
