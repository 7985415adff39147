import type { ResultRecord } from './types.ts'

/**
 * Which records are forgotten, so that `max` stay: first those of which no archive is kept, and of each kind the oldest of
 * the author that has most. So many tasks of one author push out no other's results.
 */
export function recordsToForget(records: readonly ResultRecord[], max: number): ResultRecord[] {
  const empty = records.filter(({ code }) => code === undefined)
  const kept = records.filter(({ code }) => code !== undefined)
  const overOf = (some: readonly ResultRecord[], most: number) =>
    resultsToEvict(
      some.map((record) => ({ ...record, size: 1 })),
      { author: '', size: 0 },
      most,
    )
  return [...overOf(empty, Math.max(0, max - kept.length)), ...overOf(kept, max)]
}

/**
 * Which results go, so that one more fits: the oldest of the author that has most, again and again. So an author who leaves
 * much pushes out their own results first.
 */
export function resultsToEvict(
  kept: readonly ResultRecord[],
  added: Pick<ResultRecord, 'author' | 'size'>,
  maxBytes: number,
): ResultRecord[] {
  const left = [...kept].sort((a, b) => a.at - b.at)
  const evicted: ResultRecord[] = []
  const usage = new Map<string, number>()
  const add = (author: string, bytes: number) => usage.set(author, (usage.get(author) ?? 0) + bytes)
  for (const { author, size } of [...left, added]) add(author, size)
  let used = left.reduce((sum, { size }) => sum + size, added.size)
  while (used > maxBytes && left.length > 0) {
    const authors = new Set(left.map(({ author }) => author))
    const [largest] = [...usage].filter(([author]) => authors.has(author)).sort(([, a], [, b]) => b - a)
    const index = left.findIndex(({ author }) => author === largest?.[0])
    const [gone] = left.splice(index, 1)
    if (gone === undefined) break
    evicted.push(gone)
    add(gone.author, -gone.size)
    used -= gone.size
  }
  return evicted
}
