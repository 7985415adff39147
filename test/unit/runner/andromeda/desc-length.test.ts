import { descLength } from '../../../../src/runner/andromeda/rules/desc-length.ts'
import { fails, passes, table } from './table.ts'

table(descLength, [
  passes('199 of 200', { service: { desc: 'x'.repeat(199) } }),
  fails('exactly 200 of 200', {
    service: { desc: 'x'.repeat(200) },
    message: 'desc has 200 characters, DESC_MAX_LEN allows fewer than 200',
    needs: ['desc.length', 'at-most', '199'],
  }),
  passes('an empty one', { settings: { DESC_MAX_LEN: 1 }, service: { desc: '' } }),
  fails('nothing is short enough', {
    settings: { DESC_MAX_LEN: 0 },
    service: { desc: '' },
    message: /no description helps$/,
  }),
])
