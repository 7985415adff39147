import type { ProvenanceView } from './types.ts'

/** The source that code came from, with what its registry gives to check it by, where that is little. Undefined where no source is noted. */
export function sourceText({ source, checksum, commit }: Omit<ProvenanceView, 'from' | 'at'>): string | undefined {
  if (source === undefined || checksum === undefined) return source
  const given = checksum === 'none' ? 'no checksum' : 'only a SHA-1'
  return `${source}, of which the registry gives ${given}${commit === undefined ? '' : `; it names the commit ${commit}`}`
}
