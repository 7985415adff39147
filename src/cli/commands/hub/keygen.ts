import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { formatAddress } from '../../../../protocols/address.ts'
import { MAX_MEMBERS } from '../../../../protocols/limits.ts'
import { createKeyCache, ed25519Signer } from '../../../../protocols/signature.ts'
import { errnoOf, InputError, systemMessageOf } from '../../../base/errors.ts'
import { createKeyFile, hubText, joinMembers, memberText, newBlsKey, newKeyPem } from '../../../config/index.ts'
import type { Cli } from '../../cli.ts'
import { command, flag, text, whole } from '../../command.ts'
import { networkNameOf } from '../../network-name.ts'
import { oneKeySnippet, trustSnippet } from '../../statements/config-snippet.ts'
import { writeNew } from '../../statements/write-files.ts'

const count = (describe: string) => whole('COUNT', describe, { min: 1, max: MAX_MEMBERS, fallback: undefined })

export const hubKeygen = command({
  name: 'hub keygen',
  summary: 'Make the key of a hub, or, with --bls, of one member of a hub',
  details: [
    'Without --bls: one ed25519 key (PEM). With it: one BLS12-381 key (JSON), and its public file beside it, which members',
    'of a hub send to the person that runs `hub members`. With --members: the keys of all members at once.',
    'Only you can read the key files. An existing key is never overwritten.',
  ].join('\n'),
  args: {},
  options: {
    bls: flag('a BLS12-381 key, with which several members sign as one hub'),
    members: count('with --bls: the keys of so many members, and the public file of their hub'),
    threshold: count('with --members: how many of them must sign'),
    network: text('NAME', 'with --bls: where the key is used (default: the folder\'s network, else "thundercloud")'),
    out: text('FILE|DIR', 'default: hub.pem; with --bls hub-key.json; with --members the folder hub'),
  },
  async run(cli, { bls, members, threshold, network, out }) {
    for (const [name, given] of Object.entries({ members, threshold, network })) {
      if (!bls && given !== undefined) throw new InputError(`--${name} goes with --bls`)
    }
    if ((members === undefined) !== (threshold === undefined)) {
      throw new InputError('--members and --threshold go together: how many there are, and how many must sign')
    }
    if (members !== undefined && threshold !== undefined) {
      if (threshold > members) throw new InputError(`--threshold is ${threshold}, but there are ${members} members`)
      return await makeHub(cli, { members, threshold, network: await networkNameOf(cli, network), out: out ?? 'hub' })
    }
    if (bls) return await makeMember(cli, { network: await networkNameOf(cli, network), out: out ?? 'hub-key.json' })
    await makeKey(cli, out ?? 'hub.pem')
  },
})

async function makeKey(cli: Cli, out: string): Promise<void> {
  const pem = newKeyPem()
  const file = await writeKey(cli, out, pem)
  const address = formatAddress(ed25519Signer(pem).address)
  cli.out.result({ type: 'ed25519', address, file }, () => [
    `Key of the hub ${address}: ${file}`,
    'An operator that trusts it writes into config.json:',
    ...oneKeySnippet(address),
  ])
}

async function makeMember(cli: Cli, { network, out }: { network: string; out: string }): Promise<void> {
  const publicFile = `${out.replace(/\.json$/, '')}.public.json`
  await refuseThere(cli, publicFile)
  const { signer, proof, text: keyText } = newBlsKey(cli.rng, network)
  const file = await writeKey(cli, out, keyText)
  const member = { address: signer.address, proof, network }
  const publicPath = await writeNew(cli, publicFile, memberText(member))
  const address = formatAddress(signer.address)
  cli.out.result({ type: 'bls12-381', address, network, file, public: publicPath }, () => [
    `Key for network "${network}": ${file}`,
    `Its public part, for \`hub members\`: ${publicPath}`,
    `Alone it is the hub ${address}. An operator that trusts it writes into config.json:`,
    ...oneKeySnippet(address),
  ])
}

async function makeHub(
  cli: Cli,
  { members, threshold, network, out }: { members: number; threshold: number; network: string; out: string },
): Promise<void> {
  const names = Array.from({ length: members }, (_, index) => join(out, `member-${index + 1}.json`))
  const hubName = join(out, 'hub.public.json')
  for (const name of [...names, hubName]) await refuseThere(cli, name)
  const keys = names.map(() => newBlsKey(cli.rng, network))
  const proofs = keys.map(({ signer, proof }) => ({ address: signer.address, proof }))
  const hub = joinMembers(proofs, threshold, network, createKeyCache())
  const files: string[] = []
  for (const [index, { text: keyText }] of keys.entries()) {
    files.push(await writeKey(cli, names[index] as string, keyText))
  }
  const hubFile = await writeNew(cli, hubName, hubText(hub))
  const address = formatAddress(hub.hub)
  cli.out.result({ type: 'hub', hub: address, network, threshold, file: hubFile, members: files }, () => [
    `Hub ${address} in network "${network}": ${threshold} of ${members} members sign.`,
    ...files.map((file, index) => `  member ${index + 1}: ${file}`),
    `Give each member its file alone, and delete the others. Public: ${hubFile}`,
    'An operator that trusts the hub writes into config.json:',
    ...trustSnippet(hub),
  ])
}

async function writeKey({ cwd }: Cli, out: string, keyText: string): Promise<string> {
  const path = resolve(cwd, out)
  try {
    if (await createKeyFile(path, keyText)) return path
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new InputError(`${out} cannot be written: ${systemMessageOf(error)}`, { cause: error })
  }
  throw new InputError(`${out} is there already; a key is never overwritten, name another file with --out`)
}

/** Before a key is made: a hub with too few keys is useless. */
async function refuseThere({ cwd }: Cli, out: string): Promise<void> {
  const there = await stat(resolve(cwd, out)).catch(() => undefined)
  if (there !== undefined) throw new InputError(`${out} is there already; it is not overwritten, say --out`)
}
