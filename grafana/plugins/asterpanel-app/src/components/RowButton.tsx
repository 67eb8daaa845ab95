import { css } from '@emotion/css';
import { IconName } from '@grafana/data';
import { Button, Spinner, useStyles2 } from '@grafana/ui';
import React from 'react';

import { useMeasures } from './density';

interface Props {
  icon: IconName;
  /** What it does and to whom. */
  label: string;
  /** Beside the icon, where there is room. */
  text?: string;
  /** Whether what it is about is being done; a spinner then, and a click does nothing. */
  isPending: boolean;
  onClick(): void;
}

/** A button in a row. While it is pending it keeps the focus, as a disabled one would not. */
export function RowButton({ icon, label, text, isPending, onClick }: Props) {
  const styles = useStyles2(getStyles);
  const { buttons } = useMeasures();
  return (
    <Button
      variant="secondary"
      size={buttons}
      icon={isPending ? undefined : icon}
      aria-label={label}
      title={label}
      aria-disabled={isPending || undefined}
      className={isPending ? styles.pending : undefined}
      onClick={isPending ? undefined : onClick}
    >
      {isPending ? <Spinner inline size="sm" /> : text}
    </Button>
  );
}

function getStyles() {
  return { pending: css({ cursor: 'progress' }) };
}
