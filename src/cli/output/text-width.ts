import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Columns that a text takes on a terminal. Loading the library costs as much as an empty program does: ASCII does without it. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  const { default: stringWidth } = require('string-width') as typeof import('string-width')
  return stringWidth(text)
}
