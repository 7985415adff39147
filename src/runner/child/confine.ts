/**
 * Imported before the operator's module, in one graph: by then every file of that graph has been read (also from a
 * folder that only root may open), and nothing of it has run. What runs afterwards is another user, without threads.
 * The user is in this module's own URL.
 */
const { searchParams } = new URL(import.meta.url)
const [uid, gid] = [searchParams.get('uid'), searchParams.get('gid')]

if (process.permission?.has('worker')) process.permission.drop('worker')
if (uid !== null && gid !== null) {
  process.setgroups?.([])
  process.setgid?.(Number(gid))
  process.setuid?.(Number(uid))
}

// Signals to others are refused by the system where the user differs; where it does not, this is the seat belt.
// A process may end itself, and this one does when its module cannot be used.
const { pid } = process
for (const name of ['kill', '_kill', '_debugProcess', '_debugEnd'] as const) {
  const signal = (process as unknown as Record<string, ((pid: number, ...rest: unknown[]) => unknown) | undefined>)[
    name
  ]
  const value = (whom: number, ...rest: unknown[]) => {
    if (whom === pid && signal !== undefined) return signal.call(process, whom, ...rest)
    throw new Error('a runner may not signal processes')
  }
  Object.defineProperty(process, name, { value, writable: false, configurable: false })
}
