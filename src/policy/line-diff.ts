export type DiffLine = { readonly kind: 'same' | 'added' | 'removed'; readonly text: string }

/** Beyond this, two texts are shown as all removed and all added: comparing them costs the product of their lengths. */
const MAX_LINES = 3_000
/** Lines around a change that are shown too. */
const AROUND = 2

/** What leads from one text to another, line by line: a longest common subsequence, between the equal ends. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split('\n')
  const b = after.split('\n')
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const line = (kind: DiffLine['kind']) => (text: string) => ({ kind, text })
  const middle = compare(a.slice(start, a.length - end), b.slice(start, b.length - end))
  return [...a.slice(0, start).map(line('same')), ...middle, ...a.slice(a.length - end).map(line('same'))]
}

/** Only what changes, and the lines around it; undefined stands for lines that are left out. */
export function changedParts(lines: readonly DiffLine[]): (DiffLine | undefined)[] {
  const near = lines.map((_, index) => lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(isChange))
  return lines.flatMap((line, index) => {
    if (near[index]) return [line]
    return index === 0 || near[index - 1] ? [undefined] : []
  })
}

function isChange({ kind }: DiffLine): boolean {
  return kind !== 'same'
}

function compare(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length > MAX_LINES || b.length > MAX_LINES) {
    return [
      ...a.map((text) => ({ kind: 'removed', text }) as const),
      ...b.map((text) => ({ kind: 'added', text }) as const),
    ]
  }
  const width = b.length + 1
  const common = new Uint16Array((a.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i++] as string })
      j++
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: 'removed', text: a[i++] as string })
    } else lines.push({ kind: 'added', text: b[j++] as string })
  }
  return lines
}
