import type { ScanEnd, Scanner } from '../scanner.ts'

/** Where the signatures are seen. */
const DATABASE = '/scan/database'
/** Programs that every sandbox has. */
const IN_SANDBOX = /^\/(usr|bin|sbin)\//
/** clamscan itself takes no larger files than this. */
const MOST_BYTES = 2 * 1024 ** 3 - 1
/** Archives within archives: clamscan's own default, written out because a code bomb is what it is for. */
const MAX_RECURSION = 17
const MAX_FILES = 100_000

/** What clamscan says of what it did not look at whole. */
const EXCEEDED = 'Heuristics.Limits.Exceeded'
const FOUND = /^(.*): (\S+) FOUND$/s

export type ClamavInit = {
  /** the whole path of clamscan */
  readonly program: string
  /** folder or file with signatures */
  readonly database: string
  readonly memoryBytes: number
  readonly timeoutMs: number
  /** the largest code that is examined: nothing in it is skipped for its size */
  readonly maxBytes: number
}

/** ClamAV's `clamscan` with the operator's signatures. It also looks into archives, within limits. */
export function clamavScanner({ program, database, maxBytes, ...limits }: ClamavInit): Scanner {
  const most = Math.min(MOST_BYTES, maxBytes)
  return {
    ...limits,
    name: 'clamav',
    command: [
      ...[program, '--infected', '--no-summary', '--recursive', '--stdout', `--database=${DATABASE}`],
      ...['--tempdir=/work', `--max-filesize=${most}`, `--max-scansize=${most}`, `--max-files=${MAX_FILES}`],
      // what is beyond a limit is reported, and not called clean
      ...[`--max-recursion=${MAX_RECURSION}`, `--max-dir-recursion=${MAX_FILES}`, '--max-scantime=0'],
      ...['--follow-dir-symlinks=0', '--follow-file-symlinks=0', '--alert-exceeds-max=yes', '/code'],
    ],
    shows: [{ path: database, as: DATABASE }, ...(IN_SANDBOX.test(program) ? [] : [{ path: program, as: program }])],
    diskBytes: most,
    translate,
  }
}

/** Findings as lines of their own; code that could not be scanned completely is not a finding. */
function translate(end: ScanEnd): ScanEnd {
  if (end.reason !== 'exit') return end
  const found = end.lines.flatMap((line) => {
    const [, path = '', name = ''] = FOUND.exec(line) ?? []
    return name === '' ? [] : [{ path: path.replace(/^\/code\/?/, ''), name }]
  })
  if (end.exitCode !== 1) {
    return { ...end, lines: [], detail: end.lines.find((line) => /ERROR/.test(line)) ?? end.errorLine }
  }
  const real = found.filter(({ name }) => !name.startsWith(EXCEEDED))
  if (real.length > 0) return { ...end, lines: real.map(({ path, name }) => `${path}: ${name}`) }
  const unseen = found.map(({ path, name }) => `${path} cannot be looked at whole (${name})`)
  return { ...end, exitCode: 3, lines: unseen }
}
