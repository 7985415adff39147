import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SEVERITIES } from '../../../protocols/attestation.ts'
import { MAX_FINDING, MAX_FINDINGS } from '../../../src/hub/constants.ts'
import { combineReports } from '../../../src/hub/scan-result.ts'
import { type Report, reportOf, type ScanEnd } from '../../../src/hub/scanner.ts'
import { SCANNER } from './fake-hub.ts'

const end = (change: Partial<ScanEnd>): ScanEnd => ({ exitCode: 0, reason: 'exit', lines: [], ...change })

describe('what a scanner says', () => {
  it.each<[Partial<ScanEnd>, Report]>([
    [{}, { is: 'clean', findings: [] }],
    [{ lines: ['by the way', ''] }, { is: 'clean', findings: ['mine: by the way'] }],
    [
      { exitCode: 1, lines: ['bad'] },
      { is: 'found', severity: 'high', findings: ['mine: bad'] },
    ],
    [
      { exitCode: 1, lines: ['progress', '{"severity":"low","findings":["a","b",3]}'] },
      { is: 'found', severity: 'low', findings: ['mine: a', 'mine: b'] },
    ],
    [
      { exitCode: 1, lines: ['a', '{"severity":"odd"}'] },
      { is: 'found', severity: 'high', findings: ['mine: a'] },
    ],
    [
      { exitCode: 1, lines: ['{not json'] },
      { is: 'found', severity: 'high', findings: ['mine: {not json'] },
    ],
    [
      { exitCode: 3, lines: ['why'] },
      { is: 'undecided', findings: ['mine: why'] },
    ],
    [
      { exitCode: 1 },
      { is: 'failed', reason: 'mine ended with exit code 1 ("found"), and named nothing that it found' },
    ],
    [
      { exitCode: 2, complaint: ' no memory\u0007 ' },
      {
        is: 'failed',
        reason: 'mine ended with exit code 2, which means neither "nothing found" (0) nor "found" (1): no memory\ufffd',
      },
    ],
    [{ exitCode: 139 }, { is: 'failed', reason: 'mine was ended by signal 11' }],
    [{ reason: 'timeout' }, { is: 'failed', reason: 'mine did not end within 10 s, and was ended' }],
    [
      { reason: 'flood', exitCode: 1 },
      { is: 'failed', reason: 'mine wrote more than anyone reads, and was ended' },
    ],
    [{ reason: 'memory' }, { is: 'failed', reason: 'mine needed more than its 64 MiB of memory, and was ended' }],
    [{ reason: 'stopped' }, { is: 'failed', reason: 'mine was ended from outside' }],
  ])('%j', (change, report) => {
    expect(reportOf(SCANNER, end(change))).toEqual(report)
  })

  it('is bounded and printable, whatever it writes', () => {
    const lines = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.json()), { maxLength: 100 })
    fc.assert(
      fc.property(lines, fc.constantFrom(0, 1, 2, 3, 139), (written, exitCode) => {
        const report = reportOf(SCANNER, end({ lines: written, exitCode }))
        const told = report.is === 'failed' ? [report.reason] : report.findings
        expect(told.length).toBeLessThanOrEqual(MAX_FINDINGS)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
        for (const text of told) expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
        for (const text of told) expect(text.length).toBeLessThanOrEqual(MAX_FINDING + 'mine: '.length + 100)
        if (exitCode === 2 || exitCode === 139) expect(report.is).toBe('failed')
      }),
    )
  })
})

describe('what reports come to', () => {
  const anyReport = fc.oneof(
    fc.constant<Report>({ is: 'clean', findings: [] }),
    fc.constantFrom(...SEVERITIES).map((severity): Report => ({ is: 'found', severity, findings: ['x'] })),
    fc.constant<Report>({ is: 'undecided', findings: ['y'] }),
    fc.constant<Report>({ is: 'failed', reason: 'z' }),
  )

  it('safe takes all of them, unsafe one, and the worst severity is told', () => {
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 6 }), (reports) => {
        const result = combineReports(reports)
        const found = reports.flatMap((report) => (report.is === 'found' ? [report.severity] : []))
        expect(result.verdict === 'unsafe').toBe(found.length > 0)
        expect(result.verdict === 'safe').toBe(reports.length > 0 && reports.every(({ is }) => is === 'clean'))
        if (result.verdict === 'unsafe') {
          expect(found.every((one) => SEVERITIES.indexOf(one) <= SEVERITIES.indexOf(result.severity))).toBe(true)
          expect(found).toContain(result.severity)
        }
      }),
    )
  })

  it('is no word where nobody looked', () => {
    expect(combineReports([])).toMatchObject({ verdict: 'none' })
  })
})
