import globCases from '../../contract/glob_cases.json';
import rightsCases from '../../contract/rights_cases.json';
import type { Me, Right } from '../api/types';
import { matchesGlob } from './globs';
import { may, On, ownAgent } from './rights';

interface RightsCase extends On {
  name: string;
  me: Me;
  switchboard: string;
  right: Right;
  may: boolean;
}

describe('matchesGlob decides as the control API does', () => {
  it.each(globCases.map((each) => [each.pattern, each.name, each.match] as const))(
    '%j on %j: %j',
    (pattern, name, match) => {
      expect(matchesGlob([pattern], name)).toBe(match);
    }
  );
});

describe('may decides as the control API does', () => {
  const cases = rightsCases as unknown as RightsCase[];

  it.each(cases.map((each) => [each.name, each] as const))('%s', (_, each) => {
    expect(may(each.me, each.switchboard, each.right, { queue: each.queue, agent: each.agent })).toBe(each.may);
  });

  it('has cases of both kinds for every right', () => {
    const rights = new Set(cases.map((each) => each.right));
    for (const right of rights) {
      expect(new Set(cases.filter((each) => each.right === right).map((each) => each.may))).toEqual(
        new Set([true, false])
      );
    }
    expect(rights.size).toBe(7);
  });
});

describe('ownAgent', () => {
  const me = { switchboards: [{ name: 'milano', agent: '1001', rights: [] }] } as unknown as Me;

  it('is who I am on that switchboard', () => {
    expect(ownAgent(me, 'milano')).toBe('1001');
    expect(ownAgent(me, 'roma')).toBe('');
  });
});
