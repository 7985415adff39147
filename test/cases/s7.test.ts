import { test } from 'vitest'
import { expectHeld } from './attack.ts'

test('long gossip frames of eight peers cost no memory that stays', () => expectHeld('S7'), 180_000)
