import { type Address, decodeAddress, formatAddress } from '../../protocols/address.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { ServiceBody, Source } from '../../protocols/service.ts'
import type { ReceivedService, ReceivedSource } from './contract.ts'

/**
 * A decoded body as a runner sees it. `sizeBytes` is the size of the encoded body. An address text can cost a
 * millisecond of curve arithmetic: a caller with many services of one author passes a `textOf` with a cache.
 */
export function toReceivedService(
  id: CID | string,
  body: ServiceBody,
  sizeBytes: number,
  textOf: (address: Address) => string = formatAddress,
): ReceivedService {
  const { name, seq, title, desc, keywords, toolchain, hostchains, issued, expires } = body
  const { run, resources, network, replicas, replyTo } = body
  return {
    id: id.toString(),
    author: textOf(decodeAddress(body.author, 'author')),
    name,
    seq,
    title,
    desc,
    keywords,
    toolchain,
    symbiotes: body.symbiotes.map((bytes) => textOf(decodeAddress(bytes, 'symbiotes'))),
    hostchains,
    issued,
    expires,
    code: body.code.toString(),
    sources: body.sources.map(toReceivedSource),
    run,
    resources,
    network,
    replicas,
    ...(body.reward === undefined ? {} : { reward: body.reward }),
    replyTo,
    sizeBytes,
  }
}

function toReceivedSource(source: Source): ReceivedSource {
  return source.type === 'inline' ? { type: 'inline', sizeBytes: source.bytes.byteLength } : source
}
