import { dirname } from 'node:path'
import { z } from 'zod'
import { nameSchema } from '../../../protocols/service.ts'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { InputError } from '../../base/errors.ts'
import { type Env, exists, makeFolder, readText } from '../../config/index.ts'
import { contextsFile } from './file.ts'

const contextSchema = z.union([
  /** the folder of a node of this machine */
  z.strictObject({ dir: z.string() }),
  /** the API of a node elsewhere, and the file that has its token */
  z.strictObject({ api: z.string(), tokenFile: z.string().optional() }),
])
const contextsSchema = z.strictObject({
  /** what commands take where nothing else names a node */
  inUse: z.string().optional(),
  contexts: z.record(nameSchema, contextSchema),
})

/** How a node is reached, under a name. Paths are absolute. */
export type Context = z.output<typeof contextSchema>
export type Contexts = z.output<typeof contextsSchema>

const ADVICE = 'mend it, or remove it and make the contexts again'

export async function readContexts(env: Env): Promise<Contexts> {
  const path = contextsFile(env)
  if (!(await exists(path))) return { contexts: {} }
  const text = await readText(path, path, ADVICE)
  try {
    return contextsSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new InputError(`${path} is damaged; ${ADVICE}`, { cause })
  }
}

export async function writeContexts(env: Env, contexts: Contexts): Promise<void> {
  const path = contextsFile(env)
  await makeFolder(dirname(path), 0o700)
  await writeFileAtomic(path, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 })
}

export function findContext({ contexts }: Contexts, name: string): Context {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined
  if (found !== undefined) return found
  throw new InputError(
    `there is no context ${JSON.stringify(name)}; \`thundercloud context ls\` lists them, \`context add\` makes one`,
  )
}
