import { css } from '@emotion/css';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

/** A name as it is in the switchboard: cut off where there is no room, and whole on hover; its direction is its own. */
export function Name({ text }: { text: string }) {
  return (
    <bdi className={useStyles2(getStyles)} title={text}>
      {text}
    </bdi>
  );
}

function getStyles() {
  return css({ minWidth: 0, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' });
}
