import type { ApiClient } from '../../api/client/client.ts'
import { InputError } from '../../base/errors.ts'
import { type Configuration, loadConfiguration } from '../../config/index.ts'
import { keyOption, loadAuthor } from '../author.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import { warnOfClock } from '../clock-warning.ts'
import { command, duration, flag, optionalArgument, passedArguments, text, texts, whole } from '../command.ts'
import { networkNameOf } from '../network-name.ts'
import { operatorFolder } from '../operator-folder.ts'
import { loadDraft, loadPacking, type Packing, readyDraft } from '../publishing/draft.ts'
import { printDryRun } from '../publishing/dry-run.ts'
import { draftFromImage } from '../publishing/image-draft.ts'
import { inlineArchive } from '../publishing/inline-code.ts'
import { inspectFolder } from '../publishing/inspect-folder.ts'
import { noteOnInterrupt, stagesOf } from '../publishing/interrupt-note.ts'
import { draftFromSource } from '../publishing/source-draft.ts'
import { namedSource, type SourceInput, sourceOptions, typedWords } from '../publishing/source-options.ts'
import { publishByLightPeer } from '../publishing/via-light-peer.ts'
import { publishAtNode } from '../publishing/via-node.ts'

const args = {
  target: optionalArgument('DIR|MANIFEST', 'a folder with code and its service.json, or a manifest'),
  rest: passedArguments('ARGS', 'with --npm, after --: the arguments of its program'),
}
const options = {
  ...sourceOptions,
  wait: flag('exit only when as many nodes as replicas run it'),
  watch: flag('show what each node does with it, in a table, until Ctrl-C'),
  timeout: duration('how long to wait', '2m'),
  join: texts('MULTIADDR', 'publish without a node, through this one of the mesh; may be repeated'),
  network: text('NAME', 'with --join: the network (default: the folder\'s, else "thundercloud")'),
  key: keyOption,
  staple: texts('FILE', 'a hub statement or delegation that travels with the service; may be repeated'),
  withSecrets: flag('publish files that look secret: keys, tokens, .env'),
  inline: flag('send the code in the announcement, of a few kilobytes at most: no node has to fetch it'),
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

type Input = SourceInput & {
  mode: 'publish' | 'update'
  target: string | undefined
  rest: readonly string[]
  dryRun: boolean
  files: boolean
  wait: boolean
  watch: boolean
  withSecrets: boolean
  inline: boolean
  timeout: number
  join: readonly string[]
  network: string | undefined
  key: string | undefined
  staple: readonly string[]
  replicas: number | undefined
  seq: number | undefined
  replace: boolean
}

async function announce(cli: Cli, input: Input): Promise<void> {
  const { join, network, key, timeout, wait, watch, withSecrets, dryRun, mode, seq, replace } = input
  if (network !== undefined && join.length === 0) {
    throw new InputError('--network goes with --join; a node knows its network itself')
  }
  if (watch && join.length > 0) throw new InputError('--watch asks a running node, and --join publishes without one')
  if (watch && wait) throw new InputError('--watch ends with Ctrl-C, and --wait by itself; name one of them')
  if (input.files && !dryRun) throw new InputError('--files goes with --dry-run; without it nothing is listed')
  using interrupt = noteOnInterrupt(cli, mode)
  const configuration = await ownConfiguration(cli)
  // nothing is downloaded for a node that does not answer
  const early = !dryRun && namedSource(input) !== undefined ? await openNode(cli, join) : undefined
  await using stack = new AsyncDisposableStack()
  const packing = await packingOf(cli, input, configuration, stack)
  const inspected = await inspectFolder(cli, packing, { withSecrets, dryRun })
  const inline = input.inline ? await inlineArchive(inspected.entries, { signal: cli.signal }) : undefined
  if (dryRun) return await printDryRun(cli, packing, { ...inspected, all: input.files })
  const draft = { ...readyDraft(packing), inline }
  for (const warning of inspected.warnings) cli.out.note(`Note: ${warning}.`)
  // the node first: no key is made if no node answers
  const client = early ?? (await openNode(cli, join))
  await warnOfClock(cli, clockFacts(cli, configuration), (words) => cli.out.note(words))
  const author = await loadAuthor(cli, key)
  // with what was typed it is found again
  const through = [
    ...join.flatMap((address) => ['--join', address]),
    ...(network === undefined ? [] : ['--network', network]),
    ...(key === undefined ? [] : ['--key', key]),
  ]
  const stages = stagesOf(cli, { name: draft.manifest.name, typed: typedWords(input), through })
  const { entries } = inspected
  const publishing = {
    mode,
    draft,
    entries,
    author,
    seq,
    wait,
    watch,
    replace,
    timeoutSeconds: timeout,
    interrupt,
    stages,
  }
  if (client !== undefined) await publishAtNode(cli, client, publishing)
  else await publishByLightPeer(cli, { ...publishing, join, network: await networkNameOf(cli, network) })
}

/** The node that publishes, once it has answered; undefined where a light peer does. */
async function openNode(cli: Cli, join: readonly string[]): Promise<ApiClient | undefined> {
  if (join.length > 0) return undefined
  const client = await nodeClient(cli)
  await client.node({ signal: cli.signal })
  return client
}

/** The service to publish: from a folder or manifest here, or from the source that the options name. */
async function packingOf(
  cli: Cli,
  input: Input,
  configuration: Configuration | undefined,
  stack: AsyncDisposableStack,
): Promise<Packing> {
  const { target, rest, replicas, staple, bin, port, dryRun } = input
  const source = namedSource(input)
  if (source?.type === 'registry' && target !== undefined) {
    throw new InputError(
      `--npm names the package, and ${JSON.stringify(target)} is one argument too many; arguments of its program stand after --`,
    )
  }
  if (source?.type !== 'registry' && rest.length > 0) throw new InputError('arguments after -- go with --npm')
  if (input.oci !== undefined) {
    const { oci: ref, platform } = input
    return await draftFromImage(cli, { ref, platform, manifest: target, replicas, staple, configuration })
  }
  if (source !== undefined) {
    const of = { source, bin, port, dryRun, replicas, staple, configuration }
    return stack.use(await draftFromSource(cli, { ...of, manifest: target, args: rest }))
  }
  if (target === undefined) {
    throw new InputError('name a folder or a manifest, or a source with --npm, --git, --https or --oci')
  }
  return await (dryRun ? loadPacking : loadDraft)(cli, target, { replicas, staple })
}

/** The operator's own settings, where there are some. */
async function ownConfiguration(cli: Cli): Promise<Configuration | undefined> {
  const options = { env: cli.env, signal: cli.signal }
  const own = await loadConfiguration(await operatorFolder(cli), options).catch(() => undefined)
  return own?.configuration
}

/** The clocks to compare with: the named API's, if it is on another machine, and the origins of the folder's static nodes. */
function clockFacts(cli: Cli, configuration: Configuration | undefined) {
  const { api } = cli.globals
  const { dir, policy } = configuration ?? {}
  return {
    folder: dir,
    origins: [...(api === undefined || isHere(api) ? [] : [api]), ...(policy?.staticNodes.origins ?? [])],
  }
}

function isHere(api: string): boolean {
  return /^https?:\/\/(127\.|localhost|\[::1\])/i.test(api)
}
