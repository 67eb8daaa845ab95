import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import { Alert, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import React from 'react';

import { textProblemWords } from '../actions/SwitchboardText';
import type { BoardOfMine, Me } from '../api/types';
import { FreshnessBar } from '../components/FreshnessBar';
import { Problem } from '../components/Problem';
import { SwitchboardSelect } from '../components/SwitchboardSelect';
import { Texts, useTexts } from '../i18n';
import { ClockProvider } from '../live/clock';
import { Live, useLive } from '../live/useLive';
import { LinkProblem, parseDeepLink } from './deepLink';
import { MyAgent } from './MyAgent';
import { MyPause } from './MyPause';
import { useSearch } from './useSearch';

interface Props {
  me: Me;
  /** Switchboards on which I am an agent. */
  boards: BoardOfMine[];
  /** Asks for my rights again, as they may be others by now. */
  onRetry(): void;
}

/** One's agent on one switchboard: what the address names, or the first. */
export function MyStatus({ me, boards, onRetry }: Props) {
  const { common } = useTexts();
  const styles = useStyles2(getStyles);
  const link = parseDeepLink(useSearch(), me);
  const board = boards.find(({ name }) => name === link.switchboard) ?? boards[0];
  const live = useLive(board.name, onRetry);
  const choose = (switchboard: string) => locationService.partial({ switchboard, action: null, reason: null }, true);
  return (
    <>
      {link.problems.length > 0 && <LinkProblems problems={link.problems} />}
      {boards.length > 1 && (
        <div className={styles.menu}>
          <SwitchboardSelect boards={boards} value={board.name} onChange={choose} />
        </div>
      )}
      {live ? (
        <ClockProvider now={live.now}>
          <Here {...{ me, board, live, link }} />
        </ClockProvider>
      ) : (
        <LoadingPlaceholder text={common.loading} />
      )}
    </>
  );
}

function Here(props: { me: Me; board: BoardOfMine; live: Live; link: ReturnType<typeof parseDeepLink> }) {
  const { me, board, live, link } = props;
  return (
    <>
      <div>
        <FreshnessBar live={live} />
      </div>
      {live.document === null && live.error && <Problem error={live.error} onRetry={live.retry} />}
      {live.status !== 'ended' && (
        <>
          <MyPause key={board.name} {...{ me, live }} agent={board.agent} linked={link.intent} />
          <MyAgent {...{ me, live }} agent={board.agent} />
        </>
      )}
    </>
  );
}

function LinkProblems({ problems }: { problems: LinkProblem[] }) {
  const texts = useTexts();
  return (
    <Alert severity="warning" title={texts.me.linkProblem}>
      {problems.map((problem, index) => (
        <div key={index}>{linkProblemWords(texts, problem)}</div>
      ))}
      <div>{texts.me.linkNothingDone}</div>
    </Alert>
  );
}

function linkProblemWords({ me: { linkProblems }, actions }: Texts, problem: LinkProblem): string {
  switch (problem.is) {
    case 'twice':
      return linkProblems.twice(problem.parameter);
    case 'unknown_switchboard':
    case 'no_agent_there':
      return linkProblems[problem.is](problem.switchboard);
    case 'unknown_action':
      return linkProblems.unknown_action(problem.action);
    case 'unknown_reason':
      return linkProblems.unknown_reason(problem.reason);
    case 'no_reason':
      return linkProblems.no_reason;
    case 'bad_reason':
      return linkProblems.bad_reason(textProblemWords(actions, problem.problem));
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  // As large as a finger
  menu: css({ '& select': { minHeight: theme.spacing(6) } }),
});
