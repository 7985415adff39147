import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Claims of the user ids of all nodes of this machine. */
const USERS = '/run/thundercloud-uids'

/** MiB that one warm sandbox costs, with its whole tree: the mean of those below a folder; each shared page counts in parts. */
export async function warmMib(below: string): Promise<number> {
  const names = (await readdir(USERS)).filter((name) => /^\d+$/.test(name))
  const claims = await Promise.all(names.map((name) => readFile(join(USERS, name), 'utf8').catch(() => '{}')))
  const users = names.filter((_, index) => {
    const { runId = '', owner = '' } = JSON.parse(claims[index] as string) as { runId?: string; owner?: string }
    return runId.startsWith('warm-') && owner.startsWith(below)
  })
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const kib = await Promise.all(pids.map((pid) => pssKib(pid, new Set(users.map(Number)))))
  return kib.reduce((sum, one) => sum + one, 0) / 1024 / users.length
}

/** Of a process of one of these users, or of what waits beside its sandbox, which this process has started. */
async function pssKib(pid: string, users: ReadonlySet<number>): Promise<number> {
  const text = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
  const { uid } = await stat(`/proc/${pid}`).catch(() => ({ uid: -1 }))
  const isMounter = (await text('stat')).includes(`(bash) S ${process.pid} `)
  if (!users.has(uid) && !isMounter) return 0
  return Number(/^Pss: +(\d+)/m.exec(await text('smaps_rollup'))?.[1] ?? 0)
}
