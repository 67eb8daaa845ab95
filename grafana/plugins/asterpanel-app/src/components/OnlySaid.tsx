import { css } from '@emotion/css';
import { useStyles2 } from '@grafana/ui';
import React, { PropsWithChildren } from 'react';

/** Text for screen readers alone. */
export function OnlySaid({ children }: PropsWithChildren) {
  return <span className={useStyles2(getStyles)}>{children}</span>;
}

function getStyles() {
  return css({
    position: 'absolute',
    width: 1,
    height: 1,
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  });
}
