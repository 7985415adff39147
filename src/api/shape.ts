/** A value that came as JSON is not what was agreed on. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/**
 * What one answer of the API looks like: it reads the answer, and it describes it in the OpenAPI document. A client
 * that asks one question would spend more on loading a validation library than on the question.
 */
export interface Shape<T> {
  /** Returns what is described, and nothing else that came with it. Throws a ShapeError. */
  read(value: unknown, path?: string): T
  readonly schema: JsonSchema
  /** the field may be missing */
  readonly mayMiss: boolean
  optional(): Shape<T | undefined>
}

/** The part of JSON Schema that is used here. */
export type JsonSchema = {
  $ref?: string
  type?: 'string' | 'number' | 'boolean' | 'object' | 'array'
  enum?: (string | boolean)[]
  format?: string
  description?: string
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema
  anyOf?: JsonSchema[]
  allOf?: JsonSchema[]
}

type Fields<T> = { readonly [K in keyof T]-?: Shape<T[K]> }

export const string = primitive<string>('string')
export const number = primitive<number>('number')
export const boolean = primitive<boolean>('boolean')
/** JSON of any form. */
export const anything = shape<unknown>((value) => value, {})

export function object<T extends object>(fields: Fields<T>): Shape<T> {
  const entries = Object.entries(fields) as [string, Shape<unknown>][]
  return shape(
    (value, path) => {
      const given = objectAt(value, path)
      const result: Record<string, unknown> = {}
      for (const [key, field] of entries) {
        const item = Object.hasOwn(given, key) ? given[key] : undefined
        if (item !== undefined || !field.mayMiss) result[key] = field.read(item, `${path}.${key}`)
      }
      return result as T
    },
    {
      type: 'object',
      properties: Object.fromEntries(entries.map(([key, { schema }]) => [key, schema])),
      required: entries.filter(([, { mayMiss }]) => !mayMiss).map(([key]) => key),
    },
  )
}

export function array<T>(item: Shape<T>): Shape<T[]> {
  return shape(
    (value, path) => {
      if (!Array.isArray(value)) throw wrong(path, 'a list')
      return value.map((each, index) => item.read(each, `${path}[${index}]`))
    },
    { type: 'array', items: item.schema },
  )
}

export function record<T>(item: Shape<T>): Shape<Record<string, T>> {
  return shape(
    (value, path) => {
      const entries = Object.entries(objectAt(value, path))
      return Object.fromEntries(entries.map(([key, each]) => [key, item.read(each, `${path}.${key}`)]))
    },
    { type: 'object', additionalProperties: item.schema },
  )
}

export function oneOf<const T extends string | boolean>(...values: readonly T[]): Shape<T> {
  return shape(
    (value, path) => {
      const found = values.find((known) => known === value)
      if (found === undefined) throw wrong(path, values.join(' or '))
      return found
    },
    { enum: [...values] },
  )
}

/** One of all literals of a type; the compiler checks that none is missing. */
export function everyOne<T extends string>(words: Record<T, true>): Shape<T> {
  return oneOf(...(Object.keys(words) as T[]))
}

/** The first that fits. */
export function union<const S extends readonly Shape<unknown>[]>(...shapes: S): Shape<ReturnType<S[number]['read']>> {
  return shape(
    (value, path) => {
      for (const each of shapes) {
        try {
          return each.read(value, path) as ReturnType<S[number]['read']>
        } catch (error) {
          if (!(error instanceof ShapeError)) throw error
        }
      }
      throw wrong(path, 'one of the known forms')
    },
    { anyOf: shapes.map(({ schema }) => schema) },
  )
}

/** A shape that contains itself: `make` is given its reference, and the document has it under `name`. */
export function recursive<T>(name: string, make: (self: Shape<T>) => Shape<T>): Shape<T> {
  const self: Shape<T> = shape((value, path) => made.read(value, path), { $ref: `#/components/schemas/${name}` })
  const made = make(self)
  return made
}

function shape<T>(read: (value: unknown, path: string) => T, schema: JsonSchema, mayMiss = false): Shape<T> {
  return {
    read: (value, path = 'it') => read(value, path),
    schema,
    mayMiss,
    optional: () => shape<T | undefined>(read, schema, true),
  }
}

function primitive<T extends string | number | boolean>(type: 'string' | 'number' | 'boolean'): Shape<T> {
  return shape(
    (value, path) => {
      // the type is one of three literals
      if (typeof value !== type) throw wrong(path, `a ${type}`)
      return value as T
    },
    { type },
  )
}

function objectAt(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'an object')
  return value as Record<string, unknown>
}

function wrong(path: string, wanted: string): ShapeError {
  return new ShapeError(`${path} must be ${wanted}`)
}
