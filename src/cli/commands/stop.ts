import { encodeAnnouncement } from '../../../protocols/announcement.ts'
import { InputError } from '../../base/errors.ts'
import { type Author, findAuthor, keyOption, loadAuthor, openPublishedIndex } from '../author.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command, flag, text, texts } from '../command.ts'
import { networkNameOf } from '../network-name.ts'
import { signServiceStop } from '../publishing/sign-stop.ts'

export const stop = command({
  name: 'stop',
  summary: 'End a service: everywhere if it is yours, otherwise on this node',
  details:
    "With the author's key, a signed stop is sent through the mesh. Without it, the service stops on this node only.",
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    local: flag('only on this node, even if the service is yours'),
    join: texts('MULTIADDR', 'send the stop without a node, through this one of the mesh; may be repeated'),
    network: text('NAME', 'with --join: the network'),
    key: keyOption,
  },
  async run(cli, { service, local, join, network, key }) {
    if (join.length > 0) return await stopByLightPeer(cli, { service, join, network, key })
    const client = await nodeClient(cli)
    const { signal } = cli
    const view = await client.service(service, { signal })
    const author = local ? undefined : await findAuthor(cli, key)
    if (author?.address !== view.author) {
      const { scope } = await client.stop(view.id, { signal })
      return print(cli, { scope, id: view.id, name: view.name })
    }
    // a second stop of the same version says nothing new, and would be refused
    if (view.stoppedBy !== undefined) return print(cli, { scope: 'mesh', id: view.id, name: view.name, before: true })
    const info = await client.node({ signal })
    const announcement = signServiceStop(cli, author, { network: info.network, name: view.name, seq: view.seq })
    await client.announce(encodeAnnouncement(announcement), { signal })
    await remember(author, info.network, view)
    print(cli, { scope: 'mesh', id: view.id, name: view.name })
  },
})

async function stopByLightPeer(
  cli: Cli,
  init: { service: string; join: readonly string[]; network: string | undefined; key: string | undefined },
): Promise<void> {
  const { clock, rng, factories, signal } = cli
  const network = await networkNameOf(cli, init.network)
  const author = await loadAuthor(cli, init.key)
  const entry = (await openPublishedIndex(author, network)).find(init.service)
  if (entry === undefined) {
    throw new InputError(
      `${JSON.stringify(init.service)} was not published with this key from here in network "${network}"; stop it through a node`,
    )
  }
  const peer = { network, join: init.join, author: author.signer, signal }
  await using light = await factories.lightPeer({ clock, rng, log: cli.log('error') }, peer)
  await light.announce(signServiceStop(cli, author, { network, name: entry.name, seq: entry.seq }), { signal })
  await remember(author, network, entry)
  print(cli, { scope: 'mesh', id: entry.id, name: entry.name })
}

async function remember(author: Author, network: string, stopped: { name: string; id: string }): Promise<void> {
  const { name, id } = stopped
  const index = await openPublishedIndex(author, network)
  const entry = index.get(name)
  if (entry?.id === id) await index.put(name, { ...entry, state: 'stopped' })
}

type Stopped = { scope: 'mesh' | 'local'; id: string; name: string; before?: boolean }

function print({ out }: Cli, { scope, id, name, before = false }: Stopped): void {
  const announced = before
    ? `The stop of "${name}" was announced before; nothing was sent.`
    : `The stop of "${name}" is announced to all nodes.`
  const local = `"${name}" is stopped on this node; it is not yours, so elsewhere it may go on.`
  out.result({ id, name, scope }, () => [scope === 'mesh' ? announced : local])
}
