import type { ApiClient } from '../../../api/client/client.ts'
import { MAX_BLOCK_NOTE } from '../../../api/constants.ts'
import { nowSeconds } from '../../../base/clock.ts'
import { InputError, NotFoundError } from '../../../base/errors.ts'
import { howMany, sanitizeText } from '../../../base/format.ts'
import type { BlockedRun, BlockInit, BlockView } from '../../../node/types.ts'
import type { Cli } from '../../cli.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command, flag, optionalDuration, text } from '../../command.ts'
import { commandText } from '../../output/command-text.ts'
import { table } from '../../output/output.ts'
import { clockTime, idFormats, when } from '../../output/text.ts'
import { resolveCode } from '../../statements/resolve-code.ts'

const FOR = optionalDuration('it ends by itself after this time, at most 30d (default: it does not)')
const NOTE = text('TEXT', `why, for yourself: at most ${MAX_BLOCK_NOTE} characters; it does not leave the node`)
const KEEP_RUNS = flag('what runs of it now goes on, until it ends or its author replaces it')
const SERVICES = [
  'Its services are neither run nor redirected here, whatever the policy says, and its runs end. Its publisher reads that it is',
  'blocked, and not until when or why. What SERVICES names is not concerned. `thundercloud unblock` undoes it: what was refused is',
  'decided again, and a service begins again; a task is not started twice.',
].join('\n')

export const blockAuthor = command({
  name: 'block author',
  summary: 'Run and redirect nothing that an author has signed',
  details: `${SERVICES}\nExample: thundercloud block author ADDRESS --for 7d --note "key leaked"`,
  args: { address: argument('ADDRESS', 'the address of the author, as `thundercloud list` shows it') },
  options: { for: FOR, note: NOTE, keepRuns: KEEP_RUNS },
  run: (cli, { address, for: seconds, note, keepRuns }) =>
    block(cli, { kind: 'author', subject: address, seconds, note, keepRuns }),
})

export const blockCode = command({
  name: 'block code',
  summary: 'Run and redirect nothing that has a code',
  details: `${SERVICES}\nThe code stays in the store, and other nodes get it, until \`thundercloud code gc\` removes it.\nExample: thundercloud block code hello-web`,
  args: { code: argument('CODE', 'its content id, or the id or name of a service that has it') },
  options: { for: FOR, note: NOTE, keepRuns: KEEP_RUNS },
  async run(cli, { code, for: seconds, note, keepRuns }) {
    const subject = (await resolveCode(cli, await nodeClient(cli), code)).toString()
    await block(cli, { kind: 'code', subject, seconds, note, keepRuns })
  },
})

export const blockPeer = command({
  name: 'block peer',
  summary: 'Have no connection with a peer',
  details: [
    'It is disconnected, not let in and not dialled, also where STATIC_NODES names it. What its author signs still comes by other',
    'peers: `thundercloud block author` is about that.',
    'Example: thundercloud block peer 12D3KooW... --for 1d',
  ].join('\n'),
  args: { peer: argument('PEER', 'its peer id, as `thundercloud peers` shows it') },
  options: { for: FOR, note: NOTE },
  run: (cli, { peer, for: seconds, note }) => block(cli, { kind: 'peer', subject: peer, seconds, note }),
})

export const blockLs = command({
  name: 'block ls',
  summary: 'Blocks in force, oldest first',
  args: {},
  options: {},
  async run(cli) {
    const blocks = await (await nodeClient(cli)).blocks.list({ signal: cli.signal })
    const now = nowSeconds(cli.clock)
    cli.out.result(blocks, () => {
      if (blocks.length === 0) return ['Nothing is blocked.']
      const rows = blocks.map(({ kind, subject, since, until, note = '', keepsRuns }) => {
        const ends = until === undefined ? 'never' : when(until, now)
        return [
          kind,
          sanitizeText(subject, 120),
          when(since, now),
          ends,
          keepsRuns ? 'kept' : '',
          sanitizeText(note, 200),
        ]
      })
      return table(['KIND', 'SUBJECT', 'MADE', 'ENDS', 'RUNS', 'NOTE'], rows)
    })
  },
})

export const unblock = command({
  name: 'unblock',
  summary: 'End a block: what was refused for it is decided again',
  details: 'Example: thundercloud unblock ADDRESS',
  args: {
    subject: argument(
      'SUBJECT',
      'what `thundercloud block ls` shows, or the beginning of it; or a service whose code is blocked',
    ),
  },
  options: {},
  async run(cli, { subject }) {
    const client = await nodeClient(cli)
    const removed = await client.blocks.remove(await blockOf(cli, client, subject), cli)
    cli.out.result({ removed }, () => [`The ${removed.kind} ${removed.subject} is not blocked any more.`])
  },
})

async function block(cli: Cli, init: BlockInit): Promise<void> {
  const made = await (await nodeClient(cli)).blocks.add(init, { signal: cli.signal })
  const { replaced, ends, parked } = made
  const { kind, subject, until } = made.block
  const { id } = idFormats(cli.out.terminal)
  const named = (services: readonly BlockedRun[]) =>
    services.map((service) => `"${sanitizeText(service.name, 64)}" ${id(service.id)}`).join(', ')
  cli.out.result(made, () => [
    `The ${kind} ${subject} is blocked${until === undefined ? '' : ` until ${clockTime(until * 1000)} UTC`}; ${commandText(cli, ['unblock', subject])} ends that.`,
    ...(replaced === undefined ? [] : [`It replaces the block ${blockText(replaced, nowSeconds(cli.clock))}.`]),
    ...(ends.length === 0 ? [] : [`${howMany(ends.length, 'run ends', 'runs end')}: ${named(ends)}.`]),
    ...(parked.length === 0
      ? []
      : [`${howMany(parked.length, 'parked service is', 'parked services are')} refused now: ${named(parked)}.`]),
  ])
}

/** "made 3 h ago, which ended in 7d, with the note "leaked"" */
function blockText({ since, until, note }: BlockView, now: number): string {
  return [
    `made ${when(since, now)}`,
    until === undefined ? 'which had no end' : `which ended ${when(until, now)}`,
    ...(note === undefined ? [] : [`with the note "${sanitizeText(note, 200)}"`]),
  ].join(', ')
}

async function blockOf({ signal }: Cli, client: ApiClient, text: string): Promise<BlockView> {
  const blocks = await client.blocks.list({ signal })
  const exact = blocks.filter(({ subject }) => subject === text)
  const found = exact.length > 0 ? exact : blocks.filter(({ subject }) => subject.startsWith(text))
  if (found.length > 1) throw new InputError(`${JSON.stringify(text)} names ${found.length} blocks; write more of it`)
  const one = found[0] ?? (await blockOfService(client, blocks, text, signal))
  if (one === undefined) {
    throw new NotFoundError(
      `nothing that begins with ${JSON.stringify(text)} is blocked; \`thundercloud block ls\` shows what is`,
    )
  }
  return one
}

/** `block code` takes the name of a service, and so it is undone by it. */
async function blockOfService(client: ApiClient, blocks: readonly BlockView[], text: string, signal: AbortSignal) {
  if (blocks.length === 0) return undefined
  try {
    const { code } = await client.service(text, { signal })
    return blocks.find(({ kind, subject }) => kind === 'code' && subject === code)
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
