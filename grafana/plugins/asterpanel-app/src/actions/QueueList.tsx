import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Checkbox, Field, Input, useStyles2 } from '@grafana/ui';
import React, { useId, useState } from 'react';

import { useTexts } from '../i18n';
import { isolated } from '../i18n/isolated';
import { Choices } from './Choices';
import type { Membership } from './membershipChanges';
import { penaltyOf, QueueChoice, ticked, withPenalty } from './queueChoice';

/** From so many queues on there is a field to filter them. */
const MANY_QUEUES = 12;

interface Props {
  /** Those that may be changed, in their order. */
  queues: string[];
  /** As they are now. */
  memberships: ReadonlyMap<string, Membership>;
  choice: QueueChoice;
  onChange(choice: QueueChoice): void;
}

/** Every queue that may be changed, to be ticked, each with its penalty. */
export function QueueList({ queues, memberships, choice, onChange }: Props) {
  const texts = useTexts().actions.queues;
  const styles = useStyles2(getStyles);
  const id = useId();
  const [filter, setFilter] = useState('');
  const wanted = filter.trim().toLowerCase();
  const shown = queues.filter((queue) => queue.toLowerCase().includes(wanted));
  if (queues.length === 0) {
    return <p>{texts.none}</p>;
  }
  return (
    <Choices legend={texts.legend}>
      {queues.length >= MANY_QUEUES && (
        <Field label={texts.filter}>
          <Input id={id} value={filter} onChange={(event) => setFilter(event.currentTarget.value)} />
        </Field>
      )}
      <p className={styles.help}>{texts.penaltyHelp}</p>
      <ul className={styles.list}>
        {shown.map((queue) => (
          <QueueRow
            key={queue}
            queue={queue}
            typed={choice.typed.get(queue)}
            isFixed={memberships.get(queue)?.dynamic === false}
            onTick={(isTicked) => onChange(ticked(choice, queue, isTicked))}
            onPenalty={(text) => onChange(withPenalty(choice, queue, text))}
          />
        ))}
      </ul>
      {shown.length === 0 && <p>{texts.noMatch}</p>}
    </Choices>
  );
}

interface RowProps {
  queue: string;
  /** The penalty as it is typed; undefined if the queue is not ticked. */
  typed: string | undefined;
  /** Whether the switchboard's configuration has the membership. */
  isFixed: boolean;
  onTick(isTicked: boolean): void;
  onPenalty(text: string): void;
}

function QueueRow({ queue, typed, isFixed, onTick, onPenalty }: RowProps) {
  const texts = useTexts().actions.queues;
  const styles = useStyles2(getStyles);
  const noteId = useId();
  const isInvalid = typed !== undefined && penaltyOf(typed) === null;
  return (
    <li className={styles.row}>
      <div className={styles.name}>
        <Checkbox
          label={isolated(queue)}
          value={typed !== undefined}
          disabled={isFixed}
          aria-describedby={isFixed ? noteId : undefined}
          onChange={(event) => onTick(event.currentTarget.checked)}
        />
      </div>
      {typed !== undefined && (
        <Input
          type="number"
          min={0}
          step={1}
          width={12}
          aria-label={texts.penaltyIn(queue)}
          title={texts.penalty}
          invalid={isInvalid}
          aria-invalid={isInvalid}
          value={typed}
          onChange={(event) => onPenalty(event.currentTarget.value)}
        />
      )}
      {isFixed && (
        <span id={noteId} className={styles.note}>
          {texts.fixed}
        </span>
      )}
      {isInvalid && (
        <span role="alert" className={styles.error}>
          {texts.penaltyInvalid}
        </span>
      )}
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  help: css({ margin: theme.spacing(0, 0, 1), color: theme.colors.text.secondary }),
  list: css({
    listStyle: 'none',
    maxHeight: '35vh',
    overflowY: 'auto',
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    padding: theme.spacing(0.5, 1),
  }),
  row: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0, 1),
    minHeight: theme.spacing(5),
  }),
  name: css({ flex: '1 1 120px', overflowWrap: 'anywhere' }),
  note: css({
    flexBasis: '100%',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  error: css({
    flexBasis: '100%',
    color: theme.colors.error.text,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
