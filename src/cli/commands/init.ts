import { resolve } from 'node:path'
import { formatAddress, peerIdOf } from '../../../protocols/address.ts'
import { InputError } from '../../base/errors.ts'
import { initFolder, loadIdentity, SettingsError } from '../../config/index.ts'
import { argument, command, flag, text, texts } from '../command.ts'
import { fields } from '../output/output.ts'

export const init = command({
  name: 'init',
  summary: "Make an operator's folder: settings, a runner, and the node's identity",
  details: 'Here --api is the address on which the API of the node listens, like 127.0.0.1:4981, or "false" for none.',
  args: { dir: argument('DIR', 'a new or an empty folder') },
  options: {
    network: text('NAME', "the network's name"),
    private: flag('a network of your own: private addresses are used and announced'),
    listen: texts('MULTIADDR', 'where other nodes connect to, like /ip4/0.0.0.0/tcp/4980; may be repeated'),
    announce: texts('MULTIADDR', 'a further address to advertise; may be repeated'),
    static: texts(
      'MULTIADDR|URL',
      'a node of the mesh that is always dialled, or the origin of its API; may be repeated',
    ),
  },
  async run(cli, { dir, network, private: isPrivate, listen, announce, static: staticNodes }) {
    const { globals, out, rng, signal } = cli
    const target = resolve(cli.cwd, dir)
    const node = {
      ...(network === undefined ? {} : { NETWORK: network }),
      ...(isPrivate ? { VISIBILITY: 'private' } : {}),
      ...(listen.length === 0 ? {} : { LISTEN: listen }),
      ...(announce.length === 0 ? {} : { ANNOUNCE: announce }),
      ...(globals.api === undefined ? {} : { API: globals.api === 'false' ? false : globals.api }),
      ...(globals.logLevel === undefined ? {} : { LOG_LEVEL: globals.logLevel }),
    }
    const runner = staticNodes.length === 0 ? {} : { STATIC_NODES: staticNodes }
    await initFolder(target, { node, runner, rng, signal }).catch((error: unknown) => {
      throw optionError(error)
    })
    const { signer } = await loadIdentity(target, { signal })
    const made = { dir: target, address: formatAddress(signer.address), peerId: peerIdOf(signer.address) }
    out.result(made, () => [
      ...fields([
        ['folder', made.dir],
        ['address', made.address],
        ['peer id', made.peerId],
      ]),
      '',
      'What may run here is decided in runners/andromeda/config.json. Start the node with:',
      `  thundercloud start ${dir}`,
    ])
  },
})

/** Which key each option sets. */
const OPTIONS: Readonly<Record<string, string>> = {
  NETWORK: '--network',
  LISTEN: '--listen',
  ANNOUNCE: '--announce',
  STATIC_NODES: '--static',
  API: '--api',
  LOG_LEVEL: '--log-level',
}

/** Nobody wrote the file that the sentence names: the option is what they typed. */
function optionError(error: unknown): unknown {
  if (!(error instanceof SettingsError)) return error
  const [, key = '', rest = ''] = /^[\w./-]+\.json: ([A-Z_]+)(?:\[\d+\])? (.*)$/s.exec(error.message) ?? []
  const option = OPTIONS[key]
  return option === undefined ? error : new InputError(`${option} ${rest}`, { cause: error })
}
