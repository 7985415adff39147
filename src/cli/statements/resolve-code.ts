import { type CID, parseCid } from '../../../protocols/encoding.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { NotFoundError } from '../../base/errors.ts'
import { joinWords, sanitizeText } from '../../base/format.ts'
import type { ServiceView } from '../../node/types.ts'
import type { Cli } from '../cli.ts'

/** Names of services that are printed: enough to see what the statement is about. */
const MAX_NAMED = 5

/**
 * The code that is meant: a content id, or the code of a service that the node knows. A service's id is a content id
 * too, so the node is asked first: an attestation is about code, not about a description.
 */
export async function resolveCode(
  { out, signal }: Pick<Cli, 'out' | 'signal'>,
  client: ApiClient | undefined,
  text: string,
): Promise<CID> {
  const service = client === undefined ? undefined : await findService(client, text, signal)
  if (service !== undefined) {
    out.note(`"${sanitizeText(service.name, 64)}" (seq ${service.seq}) has the code ${service.code}.`)
    return parseCid(service.code, 'code')
  }
  const code = parseCodeId(text, client !== undefined)
  if (client !== undefined) {
    const services = await client.services({ signal })
    const names = new Set(services.filter((one) => one.code === code.toString()).map(({ name }) => name))
    const quoted = [...names].slice(0, MAX_NAMED).map((name) => `"${sanitizeText(name, 64)}"`)
    if (names.size === 0) out.note('Note: no service that the node knows has this code; is it a content id of code?')
    else out.note(`It is the code of ${joinWords(quoted)}${names.size > MAX_NAMED ? ', and of others' : ''}.`)
  }
  return code
}

function parseCodeId(text: string, asked: boolean): CID {
  const known = asked ? 'no service of that name or id is known here' : 'names are known to a running node only'
  const shown = JSON.stringify(sanitizeText(text, 80))
  return decodeInput(
    () => parseCid(text, 'CODE'),
    () => `${shown} is no content id of code (bafy... or bafk...), and ${known}`,
  )
}

async function findService(client: ApiClient, text: string, signal: AbortSignal): Promise<ServiceView | undefined> {
  try {
    return await client.service(text, { signal })
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
