import { liveOf } from '../actions/testing';
import { ApiError } from '../api/ApiError';
import type { Live } from '../live/useLive';
import { doubtOf, freshnessWord } from './freshness';

const live = (change: Partial<Live>) => liveOf(undefined, change);

describe('freshness', () => {
  it.each<[string, Partial<Live>, string, string | null]>([
    ['all is well', {}, 'live', null],
    ['by polling', { status: 'polling' }, 'polling', null],
    ['for a moment without a connection', { status: 'reconnecting' }, 'reconnecting', null],
    ['the API is away', { status: 'reconnecting', error: new ApiError('unreachable', 502) }, 'reconnecting', 'away'],
    ['no news', { status: 'reconnecting', stale: true }, 'stale', 'stale'],
    ['the switchboard is away, which is why there is no news', { up: false, stale: true }, 'down', 'down'],
    ['the right has ended', { status: 'ended', stale: true }, 'ended', 'ended'],
    ['nothing is known yet', { document: null, status: 'connecting', up: false, stale: true }, 'connecting', null],
  ])('%s', (_, change, word, doubt) => {
    expect(freshnessWord(live(change))).toBe(word);
    expect(doubtOf(live(change))).toBe(doubt);
  });
});
