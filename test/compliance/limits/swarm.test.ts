import { describeLimits } from './kit.ts'

describeLimits(['swarm'])
