import { InputError } from '../../base/errors.ts'
import type { Preview } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { FailedError } from '../errors.ts'
import { changesTable, previewText } from './format-changes.ts'

/** Rows of the table; the sentences below it count all of them. */
const MAX_ROWS = 40

/** Says what would stop, start and wait, before it is asked about. In JSON it is a part of the result. */
export function printPreview({ out }: Pick<Cli, 'out'>, preview: Preview): void {
  if (out.json) return
  const heads = ['NOW', 'THEN'] as const
  const lines = changesTable(preview.changes, { terminal: out.terminal, heads, max: MAX_ROWS })
  out.note([...lines, ...previewText(preview)].join('\n'))
}

/** `--yes`, or the user's answer. `unattended`: what happens without a terminal. */
export async function confirmChanges(
  cli: Pick<Cli, 'confirm'>,
  { yes, question, unattended = 'refuse' }: { yes: boolean; question: string; unattended?: 'refuse' | 'proceed' },
): Promise<void> {
  if (yes) return
  const answer = await cli.confirm(question)
  if (answer === undefined && unattended === 'proceed') return
  if (answer === undefined) {
    throw new InputError(
      'cannot ask for confirmation: standard input is not a terminal, or --json was given; add --yes',
    )
  }
  if (!answer) throw new FailedError('Nothing was changed.')
}
