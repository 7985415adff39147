import { InputError } from '../../base/errors.ts'
import { loadConfiguration } from '../../config/index.ts'
import { keyOption, loadAuthor } from '../author.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import { warnOfClock } from '../clock-warning.ts'
import { argument, command, duration, flag, text, texts, whole } from '../command.ts'
import { operatorFolder } from '../folder.ts'
import { networkOf } from '../network.ts'
import { loadDraft } from '../publishing/draft.ts'
import { inspectFolder } from '../publishing/folder.ts'
import { noteOnInterrupt, stagesOf } from '../publishing/interrupt-note.ts'
import { publishByLightPeer } from '../publishing/via-light-peer.ts'
import { publishAtNode } from '../publishing/via-node.ts'

const args = { path: argument('DIR|MANIFEST', 'a folder with code and its service.json, or a manifest') }
const options = {
  wait: flag('exit only when as many nodes as replicas run it'),
  timeout: duration('how long to wait', '2m'),
  join: texts('MULTIADDR', 'publish without a node, through this one of the mesh; may be repeated'),
  network: text('NAME', 'with --join: the network (default: the folder\'s, else "thundercloud")'),
  key: keyOption,
  staple: texts('FILE', 'a hub statement or delegation that travels with the service; may be repeated'),
  withSecrets: flag('publish files that look secret: keys, tokens, .env'),
  replicas: whole('COUNT', 'the number of nodes that should run it, instead of what the manifest says', {
    min: 1,
    max: 1024,
    fallback: undefined,
  }),
}

/** After the service is published, exit codes differ from those that `help` lists. */
const WAIT_CODES =
  'Exit codes of --wait, once it is published: 0 healthy or done, 3 refused by all that answered, 4 failed, 5 not known in time.'

export const publish = command({
  name: 'publish',
  summary: 'Sign a service and announce it to the mesh',
  details:
    'With --join, the command serves the code itself and exits when as many nodes as replicas have it.\nEach answer of a node is printed when it arrives.\n' +
    WAIT_CODES,
  args,
  options,
  run: (cli, input) => announce(cli, { ...input, seq: undefined, replace: false, mode: 'publish' }),
})

export const update = command({
  name: 'update',
  summary: 'Publish the next version of a service',
  details: `Nodes that run the previous version replace it when the new one is healthy.\n${WAIT_CODES}`,
  args,
  options: {
    ...options,
    replace: flag(
      'stop the previous version first, for nodes without capacity for both; the service is down in between',
    ),
    seq: whole('NUMBER', 'the number of the version, if this machine does not know the last one', {
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      fallback: undefined,
    }),
  },
  run: (cli, input) => announce(cli, { ...input, mode: 'update' }),
})

type Input = {
  mode: 'publish' | 'update'
  path: string
  wait: boolean
  withSecrets: boolean
  timeout: number
  join: readonly string[]
  network: string | undefined
  key: string | undefined
  staple: readonly string[]
  replicas: number | undefined
  seq: number | undefined
  replace: boolean
}

async function announce(
  cli: Cli,
  { path, join, network, key, timeout, wait, withSecrets, mode, seq, replicas, staple, replace }: Input,
): Promise<void> {
  if (network !== undefined && join.length === 0) {
    throw new InputError('--network goes with --join; a node knows its network itself')
  }
  using interrupt = noteOnInterrupt(cli, mode)
  const draft = await loadDraft(cli, path, { replicas, staple })
  const entries = await inspectFolder(cli, draft, { withSecrets })
  // the node first: no key is made if no node answers
  const client = join.length === 0 ? await nodeClient(cli) : undefined
  await client?.node({ signal: cli.signal })
  await warnOfClock(cli, await clockFacts(cli), (words) => cli.out.note(words))
  const author = await loadAuthor(cli, key)
  // with what was typed it is found again
  const through = [
    ...join.flatMap((address) => ['--join', address]),
    ...(network === undefined ? [] : ['--network', network]),
    ...(key === undefined ? [] : ['--key', key]),
  ]
  const stages = stagesOf(cli, { name: draft.manifest.name, path, through })
  const publishing = { mode, draft, entries, author, seq, wait, replace, timeoutSeconds: timeout, interrupt, stages }
  if (client !== undefined) await publishAtNode(cli, client, publishing)
  else await publishByLightPeer(cli, { ...publishing, join, network: await networkOf(cli, network) })
}

/** The clocks to compare with: the named API's, if it is on another machine, and the origins of the folder's static nodes. */
async function clockFacts(cli: Cli): Promise<{ folder: string | undefined; origins: readonly string[] }> {
  const { api } = cli.globals
  const own = await loadConfiguration(await operatorFolder(cli), { env: cli.env, signal: cli.signal }).catch(
    () => undefined,
  )
  const { dir, policy } = own?.configuration ?? {}
  return {
    folder: dir,
    origins: [...(api === undefined || isHere(api) ? [] : [api]), ...(policy?.staticNodes.origins ?? [])],
  }
}

function isHere(api: string): boolean {
  return /^https?:\/\/(127\.|localhost|\[::1\])/i.test(api)
}
