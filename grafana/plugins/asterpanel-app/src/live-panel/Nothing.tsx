import { Button } from '@grafana/ui';
import React from 'react';

import { useTexts } from '../i18n';

interface Props {
  /** Why there is nothing, if not for what was typed. */
  because: string;
  /** What was typed into the search field, if that is why. */
  typed: string;
  onClear(): void;
}

/** Why a table is empty, and what to do about it. */
export function Nothing({ because, typed, onClear }: Props) {
  const texts = useTexts().panel;
  if (typed.trim() === '') {
    return <p>{because}</p>;
  }
  return (
    <>
      <p>{texts.noMatch(typed.trim())}</p>
      <Button variant="secondary" size="sm" icon="times" onClick={onClear}>
        {texts.clearFilter}
      </Button>
    </>
  );
}
