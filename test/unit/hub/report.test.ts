import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SEVERITIES } from '../../../protocols/attestation.ts'
import { MAX_FINDING, MAX_FINDINGS } from '../../../src/hub/constants.ts'
import { combineReports } from '../../../src/hub/scan-result.ts'
import { type Report, reportOf, type ScanEnd } from '../../../src/hub/scanner.ts'
import { forAll } from '../../fixtures/property.ts'
import { SCANNER } from './fake-hub.ts'

const end = (change: Partial<ScanEnd>): ScanEnd => ({ exitCode: 0, reason: 'exit', lines: [], ...change })
const found = (...lines: string[]) => ({ exitCode: 1, lines })
const mine = (findings: string[]) => findings.map((text) => `mine: ${text}`)
const clean = (...texts: string[]): Report => ({ is: 'clean', findings: mine(texts) })
const high = (...texts: string[]) => ({ is: 'found', severity: 'high', findings: mine(texts) }) as const
const failed = (reason: string): Report => ({ is: 'failed', reason: `mine ${reason}` })
const NEITHER = 'ended with exit code 2, which means neither "nothing found" (0) nor "found" (1)'

it.each<[Partial<ScanEnd>, Report]>([
  [{}, clean()],
  [{ lines: ['by the way', ''] }, clean('by the way')],
  [found('bad'), high('bad')],
  [found('progress', '{"severity":"low","findings":["a","b",3]}'), { ...high('a', 'b'), severity: 'low' }],
  [found('a', '{"severity":"odd"}'), high('a')],
  [found('{not json'), high('{not json')],
  [
    { exitCode: 3, lines: ['why'] },
    { is: 'undecided', findings: ['mine: why'] },
  ],
  [{ exitCode: 1 }, failed('ended with exit code 1 ("found"), and named nothing that it found')],
  [{ exitCode: 2, complaint: ' no memory\u0007 ' }, failed(`${NEITHER}: no memory\ufffd`)],
  [{ exitCode: 139 }, failed('was ended by signal 11')],
  [{ reason: 'timeout' }, failed('did not end within 10 s, and was ended')],
  [{ reason: 'flood', exitCode: 1 }, failed('wrote more than anyone reads, and was ended')],
  [{ reason: 'memory' }, failed('needed more than its 64 MiB of memory, and was ended')],
  [{ reason: 'stopped' }, failed('was ended from outside')],
])('what a scanner says: %j', (change, report) => {
  expect(reportOf(SCANNER, end(change))).toEqual(report)
})

it('what a scanner says: is bounded and printable, whatever it writes', () => {
  const lines = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.json()), { maxLength: 100 })
  forAll(100, [lines, fc.constantFrom(0, 1, 2, 3, 139)], (written, exitCode) => {
    const report = reportOf(SCANNER, end({ lines: written, exitCode }))
    const told = report.is === 'failed' ? [report.reason] : report.findings
    expect(told.length).toBeLessThanOrEqual(MAX_FINDINGS)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
    for (const text of told) expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
    for (const text of told) expect(text.length).toBeLessThanOrEqual(MAX_FINDING + 'mine: '.length + 100)
    if (exitCode === 2 || exitCode === 139) expect(report.is).toBe('failed')
  })
})

const anyReport = fc.oneof(
  fc.constant<Report>({ is: 'clean', findings: [] }),
  fc.constantFrom(...SEVERITIES).map((severity): Report => ({ is: 'found', severity, findings: ['x'] })),
  fc.constant<Report>({ is: 'undecided', findings: ['y'] }),
  fc.constant<Report>({ is: 'failed', reason: 'z' }),
)

it('what reports come to: safe takes all of them, unsafe one, and the worst severity is told', () => {
  forAll(100, [fc.array(anyReport, { maxLength: 6 })], (reports) => {
    const result = combineReports(reports)
    const found = reports.flatMap((report) => (report.is === 'found' ? [report.severity] : []))
    expect(result.verdict === 'unsafe').toBe(found.length > 0)
    expect(result.verdict === 'safe').toBe(reports.length > 0 && reports.every(({ is }) => is === 'clean'))
    if (result.verdict === 'unsafe') {
      expect(found.every((one) => SEVERITIES.indexOf(one) <= SEVERITIES.indexOf(result.severity))).toBe(true)
      expect(found).toContain(result.severity)
    }
  })
})

it('what reports come to: is no word where nobody looked', () => {
  expect(combineReports([])).toMatchObject({ verdict: 'none' })
})
