import { describeLimits } from './kit.ts'
import { SITUATIONS, type Situation } from './matrix.ts'

/** The others have files of their own, beside which this one runs. */
const APART: readonly Situation[] = ['docker', 'pool', 'swarm']

describeLimits((Object.keys(SITUATIONS) as Situation[]).filter((situation) => !APART.includes(situation)))
