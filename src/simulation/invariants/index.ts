import type { Observer } from '../observation/types.ts'
import { decisionsAreCurrent } from './decisions-are-current.ts'
import { deliveredOnce } from './delivered-once.ts'
import { depthNeverRaised } from './depth-never-raised.ts'
import { emitsOnlyWhatItRedirects } from './emits-only-what-it-redirects.ts'
import { honestNeverGraylisted } from './honest-never-graylisted.ts'
import { lostArrivesAgain } from './lost-arrives-again.ts'
import { neighboursAreReached } from './neighbours-are-reached.ts'
import { noEmissionTwice } from './no-emission-twice.ts'
import { noForgedOrLateCopy } from './no-forged-or-late-copy.ts'
import { noOlderVersion } from './no-older-version.ts'
import { noSurplusStart } from './no-surplus-start.ts'
import { noTaskTwice } from './no-task-twice.ts'
import { noUnhandledError } from './no-unhandled-error.ts'
import { nothingLeftBehind } from './nothing-left-behind.ts'
import { nothingLostByCrash } from './nothing-lost-by-crash.ts'
import { nothingWhileAway } from './nothing-while-away.ts'
import { overIsNotDecided } from './over-is-not-decided.ts'
import { parkedDoesNotRun } from './parked-does-not-run.ts'
import { quotasNeverExceeded } from './quotas-never-exceeded.ts'
import { replicasExact } from './replicas-exact.ts'
import { restartKeepsState } from './restart-keeps-state.ts'
import { revokedNeverStarts } from './revoked-never-starts.ts'
import { revokedRunsEnd } from './revoked-runs-end.ts'
import { stopsArrive } from './stops-arrive.ts'

/** What must hold in every run, whatever the scenario. */
export const INVARIANTS: readonly Observer[] = [
  depthNeverRaised,
  noEmissionTwice,
  deliveredOnce,
  emitsOnlyWhatItRedirects,
  neighboursAreReached,
  nothingWhileAway,
  nothingLostByCrash,
  lostArrivesAgain,
  noTaskTwice,
  revokedNeverStarts,
  revokedRunsEnd,
  noOlderVersion,
  parkedDoesNotRun,
  replicasExact,
  honestNeverGraylisted,
  stopsArrive,
  noSurplusStart,
  overIsNotDecided,
  noForgedOrLateCopy,
  quotasNeverExceeded,
  restartKeepsState,
  decisionsAreCurrent,
  noUnhandledError,
  nothingLeftBehind,
]
