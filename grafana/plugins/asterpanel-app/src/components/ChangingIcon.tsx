import { Icon, IconName, IconSize } from '@grafana/ui';
import React from 'react';

interface Props {
  name: IconName;
  size?: IconSize;
}

/**
 * An icon beside words, which may become another one. Grafana 13's own keeps the old picture if its name changes
 * while that is still being fetched.
 */
export function ChangingIcon({ name, size }: Props) {
  return <Icon key={name} name={name} size={size} aria-hidden />;
}
