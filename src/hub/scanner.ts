import { SEVERITIES, type Severity } from '../../protocols/attestation.ts'
import { sanitizeText } from '../base/format.ts'
import { MAX_FINDING, MAX_FINDINGS } from './constants.ts'

/** A program that looks at code. docs/scanners.md says what it gets and what its exit code means. */
export type Scanner = {
  readonly name: string
  readonly command: readonly string[]
  /** further files and folders of this machine that it sees, read-only */
  readonly shows: readonly { readonly path: string; readonly as: string }[]
  readonly memoryBytes: number
  /** what it may write into /work */
  readonly diskBytes: number
  readonly timeoutMs: number
  /** Reads output that is not written for this contract. */
  readonly translate?: ((end: ScanEnd) => ScanEnd) | undefined
}

export type ScanTask = Pick<Scanner, 'command' | 'shows' | 'memoryBytes' | 'diskBytes' | 'timeoutMs'> & {
  readonly codeDir: string
  /** JSON, shown to the scanner */
  readonly description: unknown
}

export type ScanEnd = {
  readonly exitCode: number
  readonly reason: 'exit' | 'memory' | 'timeout' | 'stopped' | 'flood'
  readonly detail?: string | undefined
  /** of its standard output */
  readonly lines: readonly string[]
  /** a line of its standard error */
  readonly errorLine?: string | undefined
}

/** What one scanner says. `undecided`: it cannot say of this code in this service; nothing has failed. */
export type Report =
  | { readonly is: 'clean'; readonly findings: readonly string[] }
  | { readonly is: 'found'; readonly severity: Severity; readonly findings: readonly string[] }
  | { readonly is: 'undecided'; readonly findings: readonly string[] }
  | { readonly is: 'failed'; readonly reason: string }

/** What a scanner ends with that neither failed nor may be taken for "nothing found". */
const UNDECIDED = 3
/** The severity of a finding whose scanner names none. */
const DEFAULT_SEVERITY: Severity = 'high'

/** Its output is untrusted: unknown fields are skipped, and the rest is cut and made printable. */
export function reportOf(scanner: Scanner, ended: ScanEnd): Report {
  const end = scanner.translate?.(ended) ?? ended
  const failure = failureOf(scanner, end)
  if (failure !== undefined) return { is: 'failed', reason: `${scanner.name} ${failure}` }
  const { severity, findings } = parseOutput(end.lines)
  const reported = findings
    .slice(0, MAX_FINDINGS)
    .map((text) => `${scanner.name}: ${sanitizeText(text.trim(), MAX_FINDING)}`)
  if (end.exitCode === 0) return { is: 'clean', findings: reported }
  if (end.exitCode === UNDECIDED) return { is: 'undecided', findings: reported }
  // what goes wrong in a script ends with 1, too, and would speak against everybody's code
  if (reported.length === 0) {
    const failure = `ended with exit code 1 ("found"), and named nothing that it found${because(end)}`
    return { is: 'failed', reason: `${scanner.name} ${failure}` }
  }
  return { is: 'found', severity: severity ?? DEFAULT_SEVERITY, findings: reported }
}

function failureOf({ timeoutMs, memoryBytes }: Scanner, { exitCode, reason, ...why }: ScanEnd): string | undefined {
  switch (reason) {
    case 'timeout':
      return `did not end within ${Math.ceil(timeoutMs / 1000)} s, and was ended`
    case 'memory':
      return `needed more than its ${Math.floor(memoryBytes / 2 ** 20)} MiB of memory, and was ended`
    case 'flood':
      return 'wrote more than anyone reads, and was ended'
    case 'stopped':
      return 'was ended from outside'
    case 'exit':
      if ([0, 1, UNDECIDED].includes(exitCode)) return undefined
      if (exitCode > 128) return `was ended by signal ${exitCode - 128}${because(why)}`
      return `ended with exit code ${exitCode}, which means neither "nothing found" (0) nor "found" (1)${because(why)}`
  }
}

function because({ detail, errorLine }: Pick<ScanEnd, 'detail' | 'errorLine'>): string {
  const text = detail ?? errorLine?.trim()
  return text === undefined ? '' : `: ${sanitizeText(text, MAX_FINDING)}`
}

/** The last line as JSON where it is that, else the lines themselves. */
function parseOutput(lines: readonly string[]): { severity?: Severity | undefined; findings: readonly string[] } {
  const written = lines.filter((line) => line.trim() !== '')
  const value = objectOf(written.at(-1) ?? '')
  if (value === undefined) return { findings: written }
  const { severity, findings } = value
  return {
    severity: SEVERITIES.find((known) => known === severity),
    findings: Array.isArray(findings) ? findings.filter((text) => typeof text === 'string') : written.slice(0, -1),
  }
}

function objectOf(line: string): Record<string, unknown> | undefined {
  if (!line.trimStart().startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
