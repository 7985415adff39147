import { bombs } from './bombs.ts'
import { emptyFrames, longFrames, silence, silentApi } from './flood.ts'
import { badSync, endlessPages, forgedAnnouncements, invalidRecords, malformedGossip } from './invalid-data.ts'
import { muxerFrames } from './muxer.ts'
import { answer } from './rpc.ts'
import type { Target } from './target.ts'
import { vanish } from './vanish.ts'

answer(
  {
    vanish,
    silenceFromOne: (target: Target) => silence(target, 1),
    silenceFromSixteen: (target: Target) => silence(target, 16),
    emptyFrames,
    longFrames,
    forgedAnnouncements,
    malformedGossip,
    invalidRecords,
    badSync,
    endlessPages,
    silentApi,
    muxerFrames,
    bombs,
  },
  async () => {},
)
