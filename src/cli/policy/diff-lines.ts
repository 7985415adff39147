import { changedParts, diffLines } from '../../policy/line-diff.ts'

const SIGNS = { same: ' ', added: '+', removed: '-' } as const

/** The lines that differ, with those around them, as diffs are written. */
export function diffText(before: string, after: string): string[] {
  if (before === after) return ['Nothing differs.']
  return changedParts(diffLines(before, after)).map((line) =>
    line === undefined ? '...' : `${SIGNS[line.kind]} ${line.text.replace(/\r$/, '')}`,
  )
}
