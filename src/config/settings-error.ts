import type { z } from 'zod'
import { InputError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { MAX_PROBLEMS } from './constants.ts'

/** A file of settings is wrong. The message is the first problem's sentence. */
export class SettingsError extends InputError {
  override readonly name = 'SettingsError'
  /** one sentence each: file, key, value, what is allowed; of many the first ones */
  readonly problems: readonly [string, ...string[]]

  constructor(problems: readonly [string, ...string[]], options?: ErrorOptions) {
    super(problems[0], options)
    this.problems = problems
  }
}

/** Checks what was read from `file`; throws a SettingsError. */
export function check<T extends z.ZodType>(schema: T, raw: unknown, file: string): z.output<T> {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  // a misspelled key explains better than the missing one that it was meant to be
  const [misspelled, others] = [true, false].map((wanted) =>
    result.error.issues.filter(({ code }) => (code === 'unrecognized_keys') === wanted),
  ) as [z.core.$ZodIssue[], z.core.$ZodIssue[]]
  const problems: string[] = []
  for (const issue of [...misspelled, ...others]) {
    if (problems.length >= MAX_PROBLEMS) break
    problems.push(...[describe(issue, raw, file)].flat())
  }
  const reported = [...new Set(problems)].slice(0, MAX_PROBLEMS)
  throw new SettingsError(reported as [string, ...string[]], { cause: result.error })
}

function describe(issue: z.core.$ZodIssue, raw: unknown, file: string): string | string[] {
  if (issue.code === 'unrecognized_keys') {
    const advice = issue.message.split('\n')
    return issue.keys.slice(0, advice.length).map((name, index) => {
      const path = [...issue.path, name]
      return `${file}: ${keyText(path)} (${valueText(valueAt(raw, path))}) is not a known key; ${advice[index]}`
    })
  }
  const key = keyText(issue.path)
  const subject = key === '' ? file : `${file}: ${key}`
  if (issue.code === 'custom' && issue.params?.sentence === true) return `${subject} ${issue.message}`
  const value = valueAt(raw, issue.path)
  return `${subject} is ${value === undefined ? 'missing' : valueText(value)}; allowed is ${issue.message}`
}

/** `LIMITS.TOTAL.MEMORY`, `LISTEN[0]`, `TRUSTED_HUBS["some text"]` */
export function keyText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((all, key) => {
    if (typeof key === 'number') return `${all}[${key}]`
    const text = String(key)
    if (!/^[\w$+-]{1,80}$/.test(text)) return `${all}[${valueText(text)}]`
    return all === '' ? text : `${all}.${text}`
  }, '')
}

/** Characters of a value in a sentence. */
const MAX_SHOWN = 80
const MAX_READ = 1024
/** User and password of an address: sentences go into logs. */
const LOGIN = /(:\/\/)[^\s/"]*@/g

export function valueText(value: unknown): string {
  const text = typeof value === 'string' ? withoutLogin(value.slice(0, MAX_READ)).slice(0, MAX_SHOWN) : value
  return sanitizeText(withoutLogin(JSON.stringify(text) ?? 'nothing'), MAX_SHOWN)
}

function withoutLogin(text: string): string {
  return text.replace(LOGIN, '$1...@')
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
  }, raw)
}
