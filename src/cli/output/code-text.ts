import { formatBytes, formatMs, sanitizeText } from '../../base/format.ts'
import type { ServiceCodeView } from '../../node/types.ts'
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

/** The code of one service: whether it is here, where from, and which of its sources failed before. */
export function codeLines(code: ServiceCodeView, now: number): string[] {
  return [`Its code: ${stateText(code, now)}.`, ...code.failures.map(failureText)]
}

function stateText({ code, state, bytes, provenance }: ServiceCodeView, now: number): string {
  const size = bytes === undefined ? '' : `, ${formatBytes(bytes)}`
  switch (state) {
    case 'complete':
      return provenance === undefined
        ? `here${size}; none of its own sources brought it (\`thundercloud code why ${code}\` says more)`
        : `here${size}, from ${provenanceText(provenance, now)}`
    case 'fetching':
      return `being fetched${size}`
    case 'partial':
      return `here in part${size} in all`
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
