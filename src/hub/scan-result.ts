import { SEVERITIES, type Severity } from '../../protocols/attestation.ts'
import type { Report } from './scanner.ts'

/** What the reports of all scanners come to. */
export type ScanResult =
  | { readonly verdict: 'safe'; readonly findings: readonly string[] }
  | { readonly verdict: 'unsafe'; readonly severity: Severity; readonly findings: readonly string[] }
  | { readonly verdict: 'none'; readonly why: 'failed' | 'undecided'; readonly reason: string }

/**
 * One scanner that found something is enough for `unsafe`, with the worst severity, whatever the others do; `safe` takes
 * all of them.
 */
export function combineReports(reports: readonly Report[]): ScanResult {
  const found = reports.filter((report) => report.is === 'found')
  if (found.length > 0) {
    const worst = Math.max(...found.map(({ severity }) => SEVERITIES.indexOf(severity)))
    return {
      verdict: 'unsafe',
      severity: SEVERITIES[worst] as Severity,
      findings: found.flatMap(({ findings }) => findings),
    }
  }
  const failed = reports.find((report) => report.is === 'failed')
  if (failed !== undefined) return { verdict: 'none', why: 'failed', reason: failed.reason }
  const undecided = reports.find((report) => report.is === 'undecided')
  if (undecided !== undefined) {
    return { verdict: 'none', why: 'undecided', reason: undecided.findings[0] ?? 'a scanner cannot say' }
  }
  // no scanner examined it
  if (reports.length === 0) return { verdict: 'none', why: 'failed', reason: 'there is no scanner' }
  return { verdict: 'safe', findings: reports.flatMap((report) => (report.is === 'clean' ? report.findings : [])) }
}
