import { z } from 'zod'
import { keys, list } from '../zod-fields.ts'

const word = z
  .string('text')
  .regex(/^[a-z0-9][a-z0-9.+-]*$/, 'a name in lower case')
  .max(32, 'a name of at most 32 characters')

const entry = keys({
  aliases: list(word, 32).describe('other names for it'),
  image: z.string('an image').min(1, 'an image').describe('the image that its services run in'),
  program: z.string('a program').min(1, 'a program').describe('the program that the sandbox on the host needs on PATH'),
  example: list(z.string('text'), 16).describe('a command line to begin with'),
})

/** configs/toolchains.json */
export const toolchainTableSchema = z
  .object({ $schema: z.string('text').optional() })
  .catchall(entry)
  .superRefine((table, context) => {
    const seen = new Map<string, string>()
    for (const [name, value] of Object.entries(table)) {
      if (typeof value !== 'object') continue
      for (const text of [name, ...value.aliases]) {
        const other = seen.get(text)
        if (other !== undefined)
          context.addIssue({ code: 'custom', path: [name], message: `shares the name "${text}" with ${other}` })
        seen.set(text, name)
      }
    }
  })
