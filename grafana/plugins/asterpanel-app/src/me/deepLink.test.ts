import { agentMe, meOf } from '../actions/testing';
import { parseDeepLink } from './deepLink';

const ME = agentMe(['milano', 'torino']);

describe('parseDeepLink', () => {
  it('nothing asks for nothing', () => {
    expect(parseDeepLink('', ME)).toEqual({ switchboard: null, intent: null, problems: [] });
    expect(parseDeepLink('?orgId=1&kiosk', ME)).toEqual({ switchboard: null, intent: null, problems: [] });
  });

  it('takes a pause with its reason, and an end of it', () => {
    expect(parseDeepLink('?switchboard=torino&action=pause&reason=Lunch', ME)).toEqual({
      switchboard: 'torino',
      intent: { action: 'pause', reason: 'Lunch' },
      problems: [],
    });
    expect(parseDeepLink('action=unpause', ME)).toEqual({
      switchboard: null,
      intent: { action: 'unpause' },
      problems: [],
    });
  });

  it('reads what addresses encode', () => {
    const me = agentMe(['milano'], { pause_reasons: [] });
    expect(parseDeepLink('?action=pause&reason=Pausa+caff%C3%A8%20', me).intent).toEqual({
      action: 'pause',
      reason: 'Pausa caffè',
    });
    expect(parseDeepLink('?action=pause', me).intent).toEqual({ action: 'pause', reason: '' });
  });

  it.each([
    ['?switchboard=roma&action=unpause', { is: 'unknown_switchboard', switchboard: 'roma' }],
    ['?action=dance', { is: 'unknown_action', action: 'dance' }],
    ['?action=pause&reason=Siesta', { is: 'unknown_reason', reason: 'Siesta' }],
    ['?action=pause&reason=lunch', { is: 'unknown_reason', reason: 'lunch' }],
    ['?action=pause', { is: 'no_reason' }],
    ['?action=pause&reason=Lunch&reason=Break', { is: 'twice', parameter: 'reason' }],
    ['?action=pause&action=unpause&reason=Lunch', { is: 'twice', parameter: 'action' }],
  ])('%s asks for nothing, and says why', (search, problem) => {
    const link = parseDeepLink(search, ME);
    expect(link.intent).toBeNull();
    expect(link.problems).toContainEqual(problem);
  });

  it('does not act on another switchboard than the named one', () => {
    const me = meOf({
      switchboards: [
        { name: 'milano', agent: '1001', rights: [] },
        { name: 'torino', agent: '', rights: [] },
      ],
    });
    expect(parseDeepLink('?switchboard=torino&action=unpause', me)).toEqual({
      switchboard: null,
      intent: null,
      problems: [{ is: 'no_agent_there', switchboard: 'torino' }],
    });
  });

  it('does not take a reason that the switchboard would not', () => {
    const me = agentMe(['milano'], { pause_reasons: [] });
    expect(parseDeepLink('?action=pause&reason=a%7Cb', me)).toEqual({
      switchboard: null,
      intent: null,
      problems: [{ is: 'bad_reason', problem: { is: 'character', code: 'U+007C' } }],
    });
  });
});
