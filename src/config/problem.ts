import type { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { printable } from '../base/text.ts'

/** Checks what was read from `file`; throws an InputError with one sentence: file, key, value, what is allowed. */
export function check<T extends z.ZodType>(schema: T, raw: unknown, file: string): z.output<T> {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  throw new InputError(describe(result.error.issues, raw, file), { cause: result.error })
}

function describe(issues: readonly z.core.$ZodIssue[], raw: unknown, file: string): string {
  // a misspelled key explains better than the missing one that it was meant to be
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? (issues[0] as z.core.$ZodIssue)
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0] as string]
    return `${file}: ${keyText(path)} (${valueText(valueAt(raw, path))}) is not a known key; ${issue.message}`
  }
  const key = keyText(issue.path)
  const subject = key === '' ? file : `${file}: ${key}`
  if (issue.code === 'custom' && issue.params?.sentence === true) return `${subject} ${issue.message}`
  const value = valueAt(raw, issue.path)
  return `${subject} is ${value === undefined ? 'missing' : valueText(value)}; allowed is ${issue.message}`
}

/** `LIMITS.TOTAL.MEMORY`, `LISTEN[0]`, `TRUSTED_HUBS["some text"]` */
function keyText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((all, key) => {
    if (typeof key === 'number') return `${all}[${key}]`
    const text = String(key)
    if (!/^[\w$+-]{1,80}$/.test(text)) return `${all}[${valueText(text)}]`
    return all === '' ? text : `${all}.${text}`
  }, '')
}

export function valueText(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'nothing', 80)
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
  }, raw)
}
