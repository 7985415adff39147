import type { PolicyAuthor } from '../../node/types.ts'

/** Who put a policy in force, in a few words. */
export function authorText({ kind, id, label }: PolicyAuthor): string {
  if (kind === 'file') return 'the file, changed on the disk'
  if (kind === 'socket') return "a command, over the operator's socket"
  if (kind === 'token') return id === label ? `the token ${id}` : `the token "${label}" (${id})`
  return label === '' ? `a session of the dashboard (${id})` : `a session of the dashboard (${id}), opened by ${label}`
}
