import { describeLimits } from './kit.ts'

describeLimits(['docker', 'pool'])
