/** Which codes must stay, each for as many reasons as there are holders. `onUse`: one was pinned, or let go. */
export function createPinCounts(onUse: (key: string) => void) {
  const counts = new Map<string, number>()
  return {
    has: (key: string): boolean => counts.has(key),
    add(key: string): Disposable {
      counts.set(key, (counts.get(key) ?? 0) + 1)
      onUse(key)
      let held = true
      return {
        [Symbol.dispose]() {
          if (!held) return
          held = false
          onUse(key)
          const left = (counts.get(key) as number) - 1
          if (left > 0) counts.set(key, left)
          else counts.delete(key)
        },
      }
    },
  }
}
