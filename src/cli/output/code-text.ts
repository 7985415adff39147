import { formatBytes, formatMs, sanitizeText } from '../../base/format.ts'
import type { CodeRepairView, CodeView, ServiceCodeView } from '../../node/types.ts'
import { sourceText } from '../../services/source-text.ts'
import { ago } from './text.ts'

type Provenance = NonNullable<ServiceCodeView['provenance']>

/** "https (https://host/a.tgz), 40s ago, in 1.5s" */
export function provenanceText(provenance: Provenance, now: number): string {
  const { from, at, ms } = provenance
  const source = sourceText(provenance)
  const which = source === undefined ? '' : ` (${sanitizeText(source, 300)})`
  const took = ms === undefined ? '' : `, in ${formatMs(ms)}`
  return `${from === 'local' ? 'this node' : from}${which}, ${ago(at, now)}${took}`
}

/** How it goes with damaged code that is in use. */
export function repairText({ state, problem, nextAt }: CodeRepairView, now: number): string {
  if (problem === undefined)
    return nextAt === undefined ? 'fetching it again' : `fetched again in ${untilText(nextAt, now)}`
  const failed = `it could not be fetched again: ${sanitizeText(problem, 400)}`
  if (state === 'fetching') return `${failed}; trying once more`
  return nextAt === undefined ? failed : `${failed}; next attempt in ${untilText(nextAt, now)}`
}

/** "chunk 3 is damaged on this disk; fetching it again" */
export function damageText({ why, repair }: CodeView, now: number): string {
  return `${sanitizeText(why ?? 'damaged', 200)}${repair === undefined ? '' : `; ${repairText(repair, now)}`}`
}

const untilText = (at: number, now: number) => formatMs(1000 * Math.max(1, at - now))

/** The code of one service: whether it is here, where from, and which of its sources failed before. */
export function codeLines(code: ServiceCodeView, now: number): string[] {
  return [`Its code: ${stateText(code, now)}.`, ...code.failures.map(failureText)]
}

function stateText({ code, state, bytes, waits, provenance }: ServiceCodeView, now: number): string {
  const size = bytes === undefined ? '' : `, ${formatBytes(bytes)}`
  switch (state) {
    case 'complete':
      return provenance === undefined
        ? `here${size}; none of its own sources brought it (\`thundercloud code why ${code}\` says more)`
        : `here${size}, from ${provenanceText(provenance, now)}`
    case 'fetching':
      return waits === undefined ? `being fetched${size}` : `waiting for a download: ${sanitizeText(waits, 200)}`
    case 'partial':
      return `here in part${size} in all`
    case 'damaged':
      return `damaged on this disk${size}, and fetched again (\`thundercloud code why ${code}\` says how that goes)`
    case 'absent':
      return 'not here'
  }
}

/** A problem mostly begins with its source. */
function failureText({ source, problem, next }: ServiceCodeView['failures'][number]): string {
  const text = problem.startsWith(source) ? problem : `${source}: ${problem}`
  const then = next === undefined ? '' : `; next: ${sanitizeText(next, 300)}`
  return `  failed: ${sanitizeText(text, 700)}${then}`
}
