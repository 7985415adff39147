/**
 * `held`: the kernel lets a run have no more. `held together`: so it does for all runs of a pool. `watched`: it is ended once
 * it has more. `refused`: it may have none at all. `not held`: nothing bounds it, and the node says so.
 */
export type Hold = 'held' | 'held together' | 'watched' | 'refused' | 'not held'

/** Where runs are, and who the node is. */
export const SITUATIONS = {
  docker: 'Docker',
  swarm: 'Docker Swarm',
  pool: 'pool',
  host: 'host sandbox, root',
  ungrouped: 'root, no control groups',
  ordinary: 'ordinary user, no control groups',
  permission: 'permission mode, root',
  ordinaryPermission: 'permission mode, ordinary user',
} as const

export type Situation = keyof typeof SITUATIONS

type Row = {
  readonly title: string
  /** how what an executor says of it begins */
  readonly said: string
  readonly holds: Readonly<Record<Situation, Hold>>
}

function row(title: string, said: string, [docker, swarm, pool, host, ...more]: readonly Hold[]): Row {
  const [ungrouped, ordinary, permission, ordinaryPermission] = more
  return {
    title,
    said,
    holds: { docker, swarm, pool, host, ungrouped, ordinary, permission, ordinaryPermission } as Row['holds'],
  }
}

/** Which limit is kept where. A test exceeds each, once as it is and once without it; the documentation shows the table. */
export const LIMITS = {
  memory: row('memory', 'memory', ['held', 'held', 'watched', 'held', 'watched', 'watched', 'watched', 'watched']),
  cpu: row('cpu', 'cpu', ['held', 'held', 'held together', 'held', 'not held', 'not held', 'not held', 'not held']),
  pids: row('pids', 'pids', ['held', 'held', 'held', 'held', 'held', 'held', 'refused', 'refused']),
  disk: row('disk, bytes', 'disk', ['held', 'held', 'held', 'held', 'held', 'held', 'held', 'watched']),
  inodes: row('disk, files', 'disk', ['held', 'held', 'held', 'held', 'held', 'held', 'held', 'watched']),
  files: row('open files', 'open files', ['held', 'held', 'held', 'held', 'held', 'held', 'held', 'held']),
  time: row('time, the node being dead', 'time', ['held', 'held', 'held', 'held', 'held', 'held', 'held', 'held']),
  egress: row('hosts outside', 'network', ['held', 'held', 'held', 'held', 'held', 'held', 'not held', 'not held']),
} as const satisfies Record<string, Row>

export type LimitName = keyof typeof LIMITS

/** What an executor's list of limits that are not enforced in full says of one. */
export function saidOf(limit: LimitName, unenforced: readonly string[]): Hold {
  const { said } = LIMITS[limit]
  const texts = unenforced.flatMap((text) => (text.startsWith(`${said}: `) ? [text.slice(said.length + 2)] : []))
  if (texts.some((text) => text.startsWith('watched'))) return 'watched'
  if (texts.some((text) => text.startsWith('held for the pool'))) return 'held together'
  if (texts.some((text) => /^(not limited|open)/.test(text))) return 'not held'
  return texts.some((text) => text.startsWith('no child processes')) ? 'refused' : 'held'
}

const BEGIN = '<!-- limits: made from test/compliance/limits/matrix.ts -->'
const END = '<!-- /limits -->'

export function withLimitsTable(document: string): string {
  const [before, after] = [document.split(BEGIN)[0], document.split(END)[1]]
  if (before === undefined || after === undefined) throw new Error(`"${BEGIN}" and "${END}" must stand in the document`)
  return `${before}${BEGIN}\n\n${limitsTable()}\n\n${END}${after}`
}

function limitsTable(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const names = Object.keys(SITUATIONS) as Situation[]
  return [
    line(['limit', ...Object.values(SITUATIONS)]),
    line(['limit', ...names].map(() => '---')),
    ...Object.values(LIMITS).map(({ title, holds }) => line([title, ...names.map((name) => holds[name])])),
  ].join('\n')
}
