import { z } from 'zod'
import { isLoopbackHost } from '../../base/loopback-host.ts'
import { ALERT_NAMES, OTHER_ALERTS } from '../alert-names.ts'
import { duration, keys, list, record, sentence } from '../zod-fields.ts'

const NAMES: readonly string[] = [...ALERT_NAMES, OTHER_ALERTS]
const NAME = `one of ${NAMES.join(', ')}`
const WORD = 'text of 1 to 4096 characters without a zero byte'
const WEBHOOK = 'an https:// address, or an http:// one of this machine, without a user and a password'

const target = keys({
  COMMAND: list(
    z
      .string(WORD)
      .regex(/^[^\0]+$/, WORD)
      .max(4096, WORD),
    64,
  )
    .min(1, 'a list of at least one entry')
    .refine(([program = '']) => program.startsWith('/'), 'a list that begins with the absolute path of a program')
    .describe('program and arguments, started without a shell; it gets the alert as JSON on its standard input')
    .optional(),
  WEBHOOK: z
    .string(WEBHOOK)
    .max(2048, WEBHOOK)
    .refine(isWebhook, WEBHOOK)
    .describe('where the alert is posted to, as JSON; no redirect is followed')
    .optional(),
  TIMEOUT: duration(1, 300).describe('a command or an answer that takes longer has failed').prefault(10),
}).superRefine(({ COMMAND, WEBHOOK }, context) => {
  if ((COMMAND === undefined) === (WEBHOOK === undefined)) {
    sentence(context, [], COMMAND === undefined ? 'needs COMMAND or WEBHOOK' : 'has both COMMAND and WEBHOOK; keep one')
  }
})

/** Which target each fault is sent to. */
export const alertsSchema = record(
  z.string().refine((name) => NAMES.includes(name), `is no alert; known are ${NAMES.join(', ')}`),
  target,
  NAMES.length,
  `an object from alert (${NAME}) to { COMMAND | WEBHOOK, TIMEOUT? }`,
)

export type AlertTarget = z.output<typeof target>

function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}
