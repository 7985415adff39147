import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { InputError, NotFoundError } from '../../base/errors.ts'
import { printable } from '../../base/text.ts'
import type { ServiceView } from '../../node/contract.ts'
import type { Cli } from '../cli.ts'

/**
 * The code that is meant: a content id, or the code of a service that the node knows. A service's id is a content id
 * too, so the node is asked first: nobody means to judge a description.
 */
export async function codeNamed(
  { out, signal }: Pick<Cli, 'out' | 'signal'>,
  client: ApiClient | undefined,
  text: string,
): Promise<CID> {
  const service = client === undefined ? undefined : await serviceNamed(client, text, signal)
  if (service !== undefined) {
    out.note(`"${printable(service.name, 64)}" (seq ${service.seq}) has the code ${service.code}.`)
    return parseCid(service.code, 'code')
  }
  try {
    return parseCid(text, 'CODE')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const known =
      client === undefined ? 'without a node nobody knows names' : 'no service of that name or id is known here'
    throw new InputError(
      `${JSON.stringify(printable(text, 80))} is no content id of code (bafy... or bafk...), and ${known}`,
      {
        cause: error,
      },
    )
  }
}

async function serviceNamed(client: ApiClient, text: string, signal: AbortSignal): Promise<ServiceView | undefined> {
  try {
    return await client.service(text, { signal })
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
