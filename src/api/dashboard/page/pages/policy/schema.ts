import schemaJson from '../../../../../../configs/schemas/runner.json' with { type: 'json' }
import type { Path } from './json-path.ts'

/** The part of JSON Schema that the schemas of our files use. */
type Schema = {
  readonly type?: string | readonly string[] | undefined
  readonly description?: string | undefined
  readonly default?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly additionalProperties?: Schema | boolean | undefined
  readonly items?: Schema | undefined
  readonly anyOf?: readonly Schema[] | undefined
}

export type Suggestion = { readonly label: string; readonly info: string | undefined; readonly value: unknown }

const ROOT = schemaJson as Schema

/** All forms that the value at `path` may have. */
function schemasAt(path: Path): Schema[] {
  let schemas: Schema[] = [ROOT]
  for (const part of path) {
    schemas = schemas.flatMap(forms).flatMap(({ properties, additionalProperties, items }) => {
      if (typeof part === 'number') return items === undefined ? [] : [items]
      if (properties !== undefined && Object.hasOwn(properties, part)) return [properties[part] as Schema]
      return typeof additionalProperties === 'object' ? [additionalProperties] : []
    })
  }
  return schemas.flatMap(forms)
}

function forms(schema: Schema): Schema[] {
  return schema.anyOf === undefined ? [schema] : [schema, ...schema.anyOf.flatMap(forms)]
}

/** The keys that the object at `path` may have. */
export function keysAt(path: Path): Suggestion[] {
  const found = schemasAt(path).flatMap(({ properties }) => Object.entries(properties ?? {}))
  return found.map(([label, { description, ...schema }]) => ({ label, info: description, value: initial(schema) }))
}

/** Values that may stand at `path`. */
export function valuesAt(path: Path): Suggestion[] {
  return schemasAt(path).flatMap((schema) => {
    const { type, enum: words = [], default: usual, description } = schema
    const values = [
      ...words,
      ...(schema.const === undefined ? [] : [schema.const]),
      ...(type === 'boolean' ? [true, false] : []),
    ]
    if (usual !== undefined && !values.includes(usual)) values.push(usual)
    return values.map((value) => ({ label: JSON.stringify(value), info: description, value }))
  })
}

/** What a key begins with, when it is put in. */
function initial({ type, default: usual, anyOf }: Schema): unknown {
  if (usual !== undefined) return usual
  const [first] = anyOf ?? []
  const kind = [type ?? first?.type ?? 'string'].flat()[0] ?? 'string'
  return { object: {}, array: [], boolean: false, integer: 0, number: 0, string: '' }[kind]
}
