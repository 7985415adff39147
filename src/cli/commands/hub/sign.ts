import { resolve } from 'node:path'
import { formatAddress } from '../../../../protocols/address.ts'
import { InputError } from '../../../base/errors.ts'
import { loadHubKey } from '../../../config/index.ts'
import { argument, command, text } from '../../command.ts'
import { describeStatement } from '../../statements/describe.ts'
import { loadDraftFile, memberSignatureText } from '../../statements/draft.ts'
import { writeNew } from '../../statements/write-files.ts'

export const hubSign = command({
  name: 'hub sign',
  summary: 'Sign a draft as one member of a hub',
  details: 'Prints what is signed, and writes the signature to a file for `hub combine`. Nothing is published.',
  args: { draft: argument('DRAFT', 'what `hub attest --hub` or `hub freeze --hub` wrote') },
  options: {
    key: text('FILE', "the member's key, as `hub keygen --bls` writes it"),
    out: text('PART', 'default: the name of the draft with the end of the member\'s address and ".part"'),
  },
  async run(cli, { draft: file, key, out }) {
    if (key === undefined) throw new InputError("--key is missing; name the member's key")
    const draft = await loadDraftFile(cli, file)
    const signer = await loadHubKey(resolve(cli.cwd, key), { file: `--key ${key}`, signal: cli.signal })
    const member = formatAddress(signer.address)
    if (signer.address.type !== 'bls12-381') {
      throw new InputError(`--key ${key} is an ed25519 key; members of a hub have BLS12-381 keys`)
    }
    cli.out.note(`To sign for network "${draft.network}": ${describeStatement(draft.statement)}.`)
    const part = await writeNew(
      cli,
      out ?? `${file.replace(/\.(json|draft)$/, '')}.${member.slice(-8)}.part`,
      memberSignatureText(draft, signer),
    )
    const { kind } = draft.statement
    cli.out.result(
      { signed: describeStatement(draft.statement), kind, network: draft.network, member, file: part },
      () => [`Signed as member ${member}.`, `Written to ${part}; send it to the person that runs \`hub combine\`.`],
    )
  },
})
