import { type LoadedPolicy, loadPolicyDraft } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import type { Folder } from './subject.ts'

/** The policy in force: what the folder's file says. */
export async function policyInForce(cli: Cli, folder: Folder): Promise<LoadedPolicy> {
  return await loadPolicyDraft(folder.runner.configFile, { file: folder.file, signal: cli.signal })
}
