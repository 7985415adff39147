import type { Source } from '../../../protocols/service.ts'
import { sanitizeText } from '../../base/format.ts'

const COMMIT = /^[0-9a-f]{40}$/

/** A source in a sentence. What its author wrote is made safe to print. */
export function describeSource(source: Source): string {
  return sanitizeText(textOf(source), 200)
}

function textOf(source: Source): string {
  switch (source.type) {
    case 'https':
      return source.url
    case 'git':
      return `${source.url} at ${COMMIT.test(source.commit) ? source.commit.slice(0, 12) : source.commit}`
    case 'registry':
      return `the ${source.kind} package ${source.name} ${source.version}`
    case 'oci':
      return `the image ${source.ref}`
    default:
      return source.type
  }
}
