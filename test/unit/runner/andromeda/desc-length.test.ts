import { descLength } from '../../../../src/runner/andromeda/rules/desc-length.ts'
import { table } from './table.ts'

table(descLength, [
  { says: '199 of 200', outcome: 'pass', service: { desc: 'x'.repeat(199) } },
  {
    says: 'exactly 200 of 200',
    outcome: 'fail',
    service: { desc: 'x'.repeat(200) },
    message: 'desc has 200 characters, DESC_MAX_LEN allows fewer than 200',
    needs: { field: 'desc.length', must: 'at-most', value: '199' },
  },
  { says: 'an empty one', outcome: 'pass', settings: { DESC_MAX_LEN: 1 }, service: { desc: '' } },
  {
    says: 'nothing is short enough',
    outcome: 'fail',
    settings: { DESC_MAX_LEN: 0 },
    service: { desc: '' },
    message: /no description helps$/,
  },
])
