import { isImageCid } from '../../../../protocols/encoding.ts'
import type { AddressTexts } from '../../../base/address-texts.ts'
import { canonicalToolchain } from '../../../config/index.ts'
import type { Description } from '../../../hub/index.ts'
import type { SignedService } from '../../../services/registry.ts'

/** What a scanner gets of a service: its manifest, and its author. Sizes in bytes, times in seconds. */
export function descriptionOf({ id, body }: SignedService, texts: AddressTexts): Description {
  const { name, seq, title, desc, keywords, issued, expires, run, resources, network } = body
  const toolchain = body.toolchain.map(canonicalToolchain)
  return {
    image: isImageCid(body.code),
    manifest: {
      id: id.toString(),
      author: texts.ofBytes(body.author),
      name,
      seq,
      title,
      desc,
      keywords,
      toolchain,
      issued,
      expires,
      code: body.code.toString(),
      // bytes have no form in JSON, and an inline source is the code itself
      sources: body.sources.map((source) => (source.type === 'inline' ? { type: 'inline' } : source)),
      run,
      resources,
      network,
    },
  }
}
