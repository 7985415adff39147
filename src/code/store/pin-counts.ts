/** Which codes must stay, each for as many reasons as there are holders. */
export function createPinCounts() {
  const counts = new Map<string, number>()
  return {
    has: (key: string): boolean => counts.has(key),
    add(key: string): Disposable {
      counts.set(key, (counts.get(key) ?? 0) + 1)
      let held = true
      return {
        [Symbol.dispose]() {
          if (!held) return
          held = false
          const left = (counts.get(key) as number) - 1
          if (left > 0) counts.set(key, left)
          else counts.delete(key)
        },
      }
    },
  }
}
