import type { Command } from '../command.ts'
import { connect } from './connect.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { hubAttest } from './hub-attest.ts'
import { hubCombine } from './hub-combine.ts'
import { hubFreeze } from './hub-freeze.ts'
import { hubKeygen } from './hub-keygen.ts'
import { hubMembers } from './hub-members.ts'
import { hubPublish } from './hub-publish.ts'
import { hubSign } from './hub-sign.ts'
import { hubWatch } from './hub-watch.ts'
import { init } from './init.ts'
import { list } from './list.ts'
import { logs } from './logs.ts'
import { peers } from './peers.ts'
import { policyApply } from './policy-apply.ts'
import { policyCheck } from './policy-check.ts'
import { policyReplay } from './policy-replay.ts'
import { policyShow } from './policy-show.ts'
import { policyTest } from './policy-test.ts'
import { publish, update } from './publish.ts'
import { runnerNew } from './runner-new.ts'
import { serviceNew } from './service-new.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { stop } from './stop.ts'
import { trustDelegate, trustRevoke } from './trust-delegate.ts'
import { trustStatements } from './trust-statements.ts'
import { trustTree } from './trust-tree.ts'

/** In the order in which help shows them: what an operator does first, then what a publisher does. */
export const COMMANDS: readonly Command[] = [
  init,
  start,
  doctor,
  policyShow,
  policyCheck,
  policyTest,
  policyReplay,
  policyApply,
  trustDelegate,
  trustRevoke,
  trustTree,
  trustStatements,
  peers,
  runnerNew,
  serviceNew,
  publish,
  update,
  list,
  status,
  explain,
  logs,
  connect,
  stop,
  hubKeygen,
  hubMembers,
  hubAttest,
  hubFreeze,
  hubSign,
  hubCombine,
  hubPublish,
  hubWatch,
  demo,
]
