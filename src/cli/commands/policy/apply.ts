import { join } from 'node:path'
import type { ApiClient } from '../../../api/client/client.ts'
import { NoDaemonError } from '../../../api/client/errors.ts'
import { replaceFile } from '../../../base/atomic-file.ts'
import { InputError } from '../../../base/errors.ts'
import { howMany } from '../../../base/format.ts'
import { livingOwner } from '../../../base/os/pid-lock.ts'
import type { Preview } from '../../../node/types.ts'
import type { Cli } from '../../cli.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command, flag } from '../../command.ts'
import { type Candidate, loadCandidate, type OperatorFolder } from '../../policy/candidate.ts'
import { confirmChanges, printPreview } from '../../policy/confirm-changes.ts'
import { backgroundLines, changesTable } from '../../policy/format-changes.ts'
import { startCandidateRunner } from '../../policy/start-candidate.ts'

export const policyApply = command({
  name: 'policy apply',
  summary: 'Put a policy in force, after showing what would stop, start and be parked',
  details: [
    "The runner's config.json is replaced, the one before is kept beside it as config.json.previous, and everything that",
    'is live is decided again: running and parked services at once, refused and redirected ones in the background.',
    'If no node runs, the file is replaced for the next start.',
  ].join('\n'),
  args: { file: argument('FILE', "a runner's settings") },
  options: { yes: flag('do not ask', '-y') },
  async run(cli, { file, yes }) {
    const subject = await loadCandidate(cli, { file, runner: undefined })
    for (const { message } of subject.draft.notices) cli.out.note(`Note: ${message}`)
    const { text, policy } = subject.draft
    let client: ApiClient
    let preview: Preview
    try {
      client = await nodeClient(cli)
      preview = await client.previewPolicy(text, { signal: cli.signal })
    } catch (error) {
      if (!(error instanceof NoDaemonError) || cli.globals.api !== undefined) throw error
      // a node that runs and does not answer would decide by the old policy unnoticed
      if (subject.folder !== undefined && (await isRunning(subject.folder))) throw error
      return await replaceOnly(cli, subject, yes)
    }
    printPreview(cli, preview)
    await confirmChanges(cli, { yes, question: `Put ${file} in force?` })
    const { changes, background } = await client.applyPolicy(text, { signal: cli.signal })
    const { notAsked, forgotten } = preview
    const previewed = { preview: preview.changes, more: preview.more, notAsked, forgotten }
    cli.out.result({ inForce: true, hash: policy.hash, ...previewed, changes, background }, () => [
      ...changesTable(changes, { terminal: cli.out.terminal, heads: ['BEFORE', 'NOW'] }),
      `Policy ${policy.hash.slice(0, 12)} is in force; ${howMany(changes.length, 'service changes', 'services change')}${background > 0 ? ' so far' : ''}.`,
      ...backgroundLines(background),
    ])
  },
})

/** Without a node there is nothing to decide again: what can be checked is checked here. */
async function replaceOnly(cli: Cli, subject: Candidate, yes: boolean): Promise<void> {
  const { folder, draft, file } = subject
  if (folder === undefined) throw new InputError('there is no folder of a node here; name it with --dir')
  await (await startCandidateRunner(cli, subject))[Symbol.asyncDispose]()
  const { configFile } = folder.runner
  cli.out.note(`No node runs in ${folder.dir}, so nothing is decided again.`)
  await confirmChanges(cli, { yes, question: `Replace ${configFile}?` })
  await replaceFile(configFile, draft.text)
  cli.out.result({ inForce: false, hash: draft.policy.hash, file: configFile, preview: [], changes: [] }, () => [
    `${file} is now ${configFile}; it is in force when the node is started.`,
  ])
}

async function isRunning({ dataDir }: OperatorFolder): Promise<boolean> {
  return (await livingOwner(join(dataDir, 'node.pid'))) !== undefined
}
