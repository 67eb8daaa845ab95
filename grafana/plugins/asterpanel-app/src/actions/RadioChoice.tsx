import { RadioButtonList } from '@grafana/ui';
import React, { useId } from 'react';

import { Choices } from './Choices';

interface Props {
  legend: string;
  options: Array<{ label: string; value: string }>;
  /** Empty: none is chosen. */
  value: string;
  onChange(value: string): void;
}

/** One of several, by radio buttons. */
export function RadioChoice({ legend, ...choice }: Props) {
  // Without an id of its own, Grafana 10's list makes new elements at each rendering: the focus would be lost
  const id = useId();
  return (
    <Choices legend={legend}>
      <RadioButtonList id={id} name={id} {...choice} />
    </Choices>
  );
}
