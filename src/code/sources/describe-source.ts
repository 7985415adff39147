import type { Source } from '../../../protocols/service.ts'
import { sanitizeText } from '../../base/format.ts'

/** A source in a sentence. What its author wrote is made safe to print. */
export function describeSource(source: Source): string {
  return sanitizeText(textOf(source), 200)
}

function textOf(source: Source): string {
  switch (source.type) {
    case 'https':
      return source.url
    case 'git':
      return `${source.url} at ${source.commit.slice(0, 12)}`
    case 'registry':
      return `the ${source.kind} package ${source.name} ${source.version}`
    case 'oci':
      return `the image ${source.ref}`
    default:
      return source.type
  }
}
