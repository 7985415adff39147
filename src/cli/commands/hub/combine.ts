import { resolve } from 'node:path'
import { addressKey, formatAddress, sameAddress } from '../../../../protocols/address.ts'
import { combineSignatures } from '../../../../protocols/multisig.ts'
import { createKeyCache, type KeyCache } from '../../../../protocols/signature.ts'
import { encodeStatement, parseStatementBody, signerOf, verifyStatement } from '../../../../protocols/statement.ts'
import { decodeInput } from '../../../base/decode-input.ts'
import { InputError } from '../../../base/errors.ts'
import { loadHubFile, type PublicHub } from '../../../config/index.ts'
import { argument, command, flag, manyArguments, text, texts } from '../../command.ts'
import { type Destination, destinationOf, submitStatement } from '../../statements/destination.ts'
import { type Draft, loadDraftFile, loadMemberSignature, type MemberSignature } from '../../statements/draft.ts'
import { yesOption } from '../../statements/options.ts'

export const hubCombine = command({
  name: 'hub combine',
  summary: "Combine the members' signatures of a draft into the hub's statement, and publish it",
  details: [
    'Each part is verified. A statement that all members signed counts everywhere. One that some signed counts where the hub',
    'is trusted with its members (TRUSTED_HUBS, MEMBERS and THRESHOLD), also on the node that publishes it.',
    'Give at least one of --out, --publish and --join.',
  ].join('\n'),
  args: {
    draft: argument('DRAFT', 'what the members have signed'),
    parts: manyArguments('PART', 'what `hub sign` wrote for each of them'),
  },
  options: {
    hub: text('FILE', 'the public file of the hub'),
    out: text('FILE', 'write the statement to a file, for `publish --staple` and `hub publish`'),
    publish: flag('publish it through the running node'),
    join: texts('MULTIADDR', 'publish it without a node, through this one of the mesh; may be repeated'),
    yes: yesOption,
  },
  async run(cli, { draft: file, parts: files, hub: hubFile, out, publish, join, yes }) {
    if (hubFile === undefined) throw new InputError('--hub is missing; name the public file of the hub')
    if (publish && join.length > 0) throw new InputError('--publish contradicts --join; say one of them')
    if (!publish && join.length === 0 && out === undefined) {
      throw new InputError('say what becomes of the statement: --out, --publish or --join')
    }
    const keys = createKeyCache()
    const draft = await loadDraftFile(cli, file)
    const hub = await loadHubFile(resolve(cli.cwd, hubFile), hubFile, keys, cli)
    refuseForeign(draft, hub, file, hubFile)
    const parts: MemberSignature[] = []
    for (const part of files) parts.push(await loadMemberSignature(cli, part, draft))
    for (const part of parts) verifyPart(part, draft, hub, keys)
    const encoded = combine(parts, draft, hub, keys)
    const outlet: Destination =
      publish || join.length > 0
        ? await destinationOf(cli, { join, network: join.length > 0 ? draft.network : undefined, out, offline: false })
        : { network: draft.network, join: [] }
    if (outlet.network !== draft.network) {
      throw new InputError(`${file} is for network "${draft.network}", but the node is in "${outlet.network}"`)
    }
    await submitStatement(cli, outlet, encoded, { out, yes })
  },
})

function refuseForeign({ network, statement }: Draft, hub: PublicHub, file: string, hubFile: string): void {
  if (network !== hub.network) {
    throw new InputError(`${file} is for network "${network}", but ${hubFile} is for network "${hub.network}"`)
  }
  const signer = signerOf(statement)
  if (!sameAddress(signer, hub.hub)) {
    throw new InputError(`${file} is a statement of ${formatAddress(signer)}, which is not the hub of ${hubFile}`)
  }
}

/** One by one, so that the file that is wrong is named. */
function verifyPart(part: MemberSignature, draft: Draft, hub: PublicHub, keys: KeyCache): void {
  if (!hub.members.some((member) => sameAddress(member, part.member))) {
    throw new InputError(`${part.file} is of ${formatAddress(part.member)}, which is no member of the hub`)
  }
  decodeInput(
    () => combineSignatures({ ...hub, threshold: 1 }, [part], signedOf(draft), keys),
    () => `${part.file} is not the signature of ${formatAddress(part.member)} for this draft`,
  )
}

function combine(parts: readonly MemberSignature[], draft: Draft, hub: PublicHub, keys: KeyCache): Uint8Array {
  const signed = new Set(parts.map(({ member }) => addressKey(member))).size
  if (signed < hub.threshold) {
    throw new InputError(`${signed} of ${hub.members.length} members have signed; ${hub.threshold} must`)
  }
  const { sig, signers } = combineSignatures(hub, parts, signedOf(draft), keys)
  const statement = parseStatementBody(draft.statement.bytes, sig, signers)
  verifyStatement(statement, draft.network, keys, hub)
  return encodeStatement(statement)
}

function signedOf({ network, statement }: Draft): { network: string; kind: string; bytes: Uint8Array } {
  return { network, kind: statement.kind, bytes: statement.bytes }
}
