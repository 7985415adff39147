import type { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { readBody } from './body.ts'
import { BODY_TIMEOUT_MS } from './constants.ts'
import { HttpProblem } from './http-errors.ts'

/** Reads a small JSON body; an empty one is `{}`. Throws 400 with the field and what is wrong with it. */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  { max, clock }: { readonly max: number; readonly clock: Clock },
): Promise<z.infer<Schema>> {
  const bytes = await readBody(request, { max, clock, timeoutMs: BODY_TIMEOUT_MS })
  const parsed = schema.safeParse(bytes.length === 0 ? {} : decode(bytes))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new HttpProblem(400, `${issue?.path.join('.') || 'the body'}: ${issue?.message}`)
}

function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new HttpProblem(400, 'the body is no JSON', { cause })
  }
}
