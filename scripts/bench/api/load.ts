/** The clients of the API's benchmark, in a process of their own: they take no time of the node's. */
import { Agent, request } from 'node:http'
import { systemClock } from '../../../src/base/clock.ts'
import { announcementOf, newSigner } from '../../../test/fixtures/mesh/announcement-of.ts'

/** What to send. `authors`: so many sign in turn; `forged`: with a signature that is wrong. */
export type Task =
  | { readonly kind: 'announce'; readonly count: number; readonly authors: number; readonly forged: boolean }
  | { readonly kind: 'publish'; readonly count: number }
  | { readonly kind: 'get'; readonly paths: readonly string[]; readonly count: number }

export type Order = {
  readonly url: string
  readonly token?: string | undefined
  readonly at: number
  readonly task: Task
}

/** `statuses`: how many answers had which. Times in ms. */
export type Result = {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly statuses: Readonly<Record<number, number>>
}

type Question = { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: Uint8Array }

function questions(task: Task): Question[] {
  if (task.kind === 'get') {
    return Array.from({ length: task.count }, (_, index) => ({
      method: 'GET' as const,
      path: task.paths[index % task.paths.length] as string,
    }))
  }
  const authors = Array.from({ length: task.kind === 'announce' ? task.authors : 1 }, newSigner)
  return Array.from({ length: task.count }, (_, index) => {
    const author = authors[index % authors.length] as (typeof authors)[number]
    const { bytes } = announcementOf(author, { clock: systemClock(), name: `service-${index}` })
    // the signature is behind the body; any byte of it makes it another
    if (task.kind === 'announce' && task.forged) bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1
    return { method: 'POST' as const, path: '/service', body: bytes }
  })
}

async function run({ url, token, at, task }: Order): Promise<Result> {
  const waiting = questions(task)
  const agent = new Agent({ keepAlive: true, maxSockets: at })
  const times: number[] = []
  const statuses: Record<number, number> = {}
  const begin = performance.now()
  const client = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const asked = performance.now()
      const status = await ask(agent, url, token, next)
      times.push(performance.now() - asked)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: at }, client))
  const seconds = (performance.now() - begin) / 1000
  agent.destroy()
  times.sort((a, b) => a - b)
  const quantile = (part: number) => Number((times[Math.ceil(times.length * part) - 1] ?? 0).toFixed(1))
  return { perSecond: Math.round(times.length / seconds), p50: quantile(0.5), p99: quantile(0.99), statuses }
}

function ask(agent: Agent, url: string, token: string | undefined, { method, path, body }: Question): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/cbor', 'content-length': body.byteLength }),
    }
    const outgoing = request(new URL(path, url), { method, agent, headers }, (incoming) => {
      incoming.resume()
      incoming.once('end', () => resolve(incoming.statusCode ?? 0))
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

process.on('message', (order: Order) => {
  run(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
