import { keywords } from '../../../../src/runner/andromeda/rules/keywords.ts'
import { table } from './table.ts'

const SEED = 'api, bridge, control, defi, storage, tor, web3'

table(keywords, [
  {
    says: 'another case',
    outcome: 'pass',
    service: { keywords: ['x', 'DeFi'] },
    message: 'the keyword "DeFi" is of interest',
  },
  {
    says: 'another case in the settings',
    outcome: 'pass',
    settings: { KEYWORDS: ['API'] },
    service: { keywords: ['aPi'] },
  },
  {
    says: 'none matches',
    outcome: 'fail',
    service: { keywords: ['games', 'apis'] },
    message: `none of the keywords is of interest; KEYWORDS are ${SEED}`,
    needs: { field: 'keywords', must: 'one-of', value: SEED },
  },
  { says: 'no keywords', outcome: 'fail', service: { keywords: [] }, message: /^the service has no keywords;/ },
  { says: 'no interests', outcome: 'pass', settings: { KEYWORDS: [] }, service: { keywords: [] } },
  {
    says: 'more interests than a receipt holds',
    outcome: 'fail',
    settings: { KEYWORDS: Array.from({ length: 20 }, (_, index) => `k${index + 10}`) },
    message: /and 12 more$/,
    needs: { field: 'keywords', must: 'one-of', value: 'k10, k11, k12, k13, k14, k15, k16, k17' },
  },
])
