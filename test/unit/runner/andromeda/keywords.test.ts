import { keywords } from '../../../../src/runner/andromeda/rules/keywords.ts'
import { fails, passes, table } from './table.ts'

const SEED = 'api, bridge, control, defi, storage, tor, web3'

table(keywords, [
  passes('another case', { service: { keywords: ['x', 'DeFi'] }, message: 'the keyword "DeFi" is of interest' }),
  passes('another case in the settings', { settings: { KEYWORDS: ['API'] }, service: { keywords: ['aPi'] } }),
  fails('none matches', {
    service: { keywords: ['games', 'apis'] },
    message: `none of the keywords is of interest; KEYWORDS are ${SEED}`,
    needs: ['keywords', 'one-of', SEED],
  }),
  fails('no keywords', { service: { keywords: [] }, message: /^the service has no keywords;/ }),
  passes('no interests', { settings: { KEYWORDS: [] }, service: { keywords: [] } }),
  fails('more interests than a receipt holds', {
    settings: { KEYWORDS: Array.from({ length: 20 }, (_, index) => `k${index + 10}`) },
    message: /and 12 more$/,
    needs: ['keywords', 'one-of', 'k10, k11, k12, k13, k14, k15, k16, k17'],
  }),
])
