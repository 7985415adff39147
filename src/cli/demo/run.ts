import { once } from 'node:events'
import { request } from 'node:http'
import { encodeAnnouncement, signService } from '../../../protocols/announcement.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeService } from '../../../protocols/service.ts'
import { createApiClient } from '../../api/client/client.ts'
import { packageFile } from '../../base/child-entry.ts'
import { type Clock, deadline, nowSeconds } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { BytePipe } from '../../base/stream.ts'
import type { Verdict } from '../../base/verdict.ts'
import { listFolder, packEntries } from '../../code/index.ts'
import { loadManifest, loadToken, manifestToBody } from '../../config/index.ts'
import { createLightPeer } from '../../node/index.ts'
import { FailedError } from '../errors.ts'
import { type DemoMesh, startMesh } from './mesh.ts'
import type { DemoNode } from './node.ts'
import { type DemoReporter, shortId } from './reporter.ts'

/** From the first node's start to the answer through the tunnel: seconds, unless an image must be made first. */
const ANSWER_MS = 120_000

export type DemoComponents = { clock: Clock; rng: Rng; log: Log; reporter: DemoReporter }
export type DemoInit = {
  /** how this program is started: node's options and the entry file */
  command: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  /** end when the answer has come */
  once: boolean
  signal: AbortSignal
}

/**
 * The whole idea on one machine: a service is published at the first of three nodes, refused and redirected by the
 * second, run by the third, and answers through a tunnel. Throws where any of it does not happen.
 */
export async function runDemo(components: DemoComponents, init: DemoInit): Promise<void> {
  const { clock, reporter } = components
  await using stack = new AsyncDisposableStack()
  using patience = deadline(
    clock,
    ANSWER_MS,
    new TimeoutError(`the demo took more than ${ANSWER_MS / 1000} s`),
    init.signal,
  )
  const { signal } = patience

  reporter.note('Three nodes on this machine. The third knows the second, the second knows the first.')
  const mesh = await startMesh(clock, stack, {
    env: init.env,
    command: init.command,
    signal,
    onStarted: ({ name, peerId, multiaddrs, api }) => {
      reporter.report(
        { event: 'node', name, peerId, multiaddrs, api },
        `${name} node   ${shortId(peerId)}  ${multiaddrs[0]}`,
      )
    },
  })
  reporter.report({ event: 'sandbox', ...mesh.sandbox }, `sandbox      ${mesh.sandbox.detail}`)
  const id = await publish(components, mesh, signal)
  await watch(reporter, mesh, id, signal)
  await visit(components, mesh, id, signal)
  if (init.once) return
  reporter.note('')
  reporter.note(
    `Everything is up. The first node's API: ${mesh.first.api}/health. Ctrl-C ends the nodes and the service.`,
  )
  if (!init.signal.aborted) await once(init.signal, 'abort')
}

async function publish({ clock, rng, reporter }: DemoComponents, mesh: DemoMesh, signal: AbortSignal): Promise<string> {
  const { first, author } = mesh
  const folder = packageFile('configs/examples/hello-web')
  const manifest = await loadManifest(`${folder}/service.json`, { signal })
  const client = createApiClient({ url: first.api, token: await loadToken(first.dir), clock })
  const { code } = await client.addArchive(packEntries(await listFolder(folder)), { signal })
  const { reach, ticket } = issueTicket(manifest.depth, rng.bytes(32))
  const body = encodeService(
    manifestToBody(manifest, {
      author: author.address,
      seq: 1,
      issued: nowSeconds(clock),
      code: parseCid(code),
      replyTo: first.multiaddrs.slice(0, 1),
      reach,
    }),
  )
  const signed = signService(body, 'demo', author)
  await client.announce(encodeAnnouncement({ signed, ticket }), { signal })
  const id = signed.id.toString()
  const whose =
    mesh.sandbox.kind === 'permission'
      ? ", signed with the third node's own key: your laptop publishes to your server"
      : ''
  reporter.report(
    { event: 'published', id, name: manifest.name, code, depth: ticket.depth },
    `published    "${manifest.name}" ${shortId(id)} at the first node, depth ${ticket.depth}${whose}`,
  )
  return id
}

async function watch(
  reporter: DemoReporter,
  { second, third }: DemoMesh,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const refused = await verdictOf(second, id, signal)
  if (refused.run !== false || !refused.redirect)
    throw new FailedError('the second node was expected to refuse and to redirect')
  const why = refused.reasons.find(({ outcome }) => outcome === 'fail')
  reporter.report(
    { event: 'verdict', node: 'second', id, ...refused },
    `second node  refuses, redirects: ${why?.message ?? ''}`,
  )
  const accepted = await verdictOf(third, id, signal)
  if (accepted.run === false) {
    const reasons = accepted.reasons.filter(({ outcome }) => outcome === 'fail').map(({ message }) => message)
    throw new FailedError(`the third node was expected to run the service; it says: ${reasons.join('; ')}`)
  }
  const { executor, memoryBytes } = accepted.run
  reporter.report(
    { event: 'verdict', node: 'third', id, ...accepted },
    `third node   accepts: runs it with ${executor === 'docker' ? 'Docker' : 'the host sandbox'}, ${memoryBytes / 1024 ** 2} MiB`,
  )
  const state = await third.event(
    (event) => event.event === 'node:state' && event.id === id && isSettled(event.state),
    { signal },
  )
  if (state.state !== 'running')
    throw new FailedError(`the service did not start: ${state.state}, ${String(state.detail ?? 'no detail')}`)
  reporter.report({ event: 'running', node: 'third', id }, 'third node   runs it')
}

async function visit(
  { clock, rng, log, reporter }: DemoComponents,
  { first, author }: DemoMesh,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await using visitor = await createLightPeer(
    { clock, rng, log },
    { network: 'demo', join: first.multiaddrs.slice(0, 1), author },
  )
  const pipe = await visitor.connect(parseCid(id), 'http', { signal })
  reporter.report(
    { event: 'tunnel', id, port: 'http', peerId: visitor.peerId },
    `tunnel       ${shortId(visitor.peerId)}, a new peer, reaches port "http" of ${shortId(id)}`,
  )
  const { status, body } = await httpGet(pipe, signal)
  const answer = JSON.parse(body) as { service?: string }
  if (status !== 200 || answer.service !== 'hello-web')
    throw new FailedError(`the service answered ${status} ${sanitizeText(body)}`)
  reporter.report(
    { event: 'answer', id, status, body: answer },
    `answer       HTTP ${status} ${sanitizeText(body.trim())}`,
  )
}

async function verdictOf(node: DemoNode, id: string, signal: AbortSignal): Promise<Verdict> {
  const event = await node.event((candidate) => candidate.event === 'node:verdict' && candidate.id === id, { signal })
  return event.verdict as Verdict
}

function isSettled(state: unknown): boolean {
  return state === 'running' || state === 'failed' || state === 'stopped' || state === 'refused'
}

function httpGet(pipe: BytePipe, signal: AbortSignal): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { path: '/', host: 'hello-web', createConnection: () => pipe as never, signal },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        response.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}
