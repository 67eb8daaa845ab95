import { Field, Input } from '@grafana/ui';
import React, { useId } from 'react';

import { Texts, useTexts } from '../i18n';
import { problemOfText, TextProblem } from './actionText';

interface Props {
  label: string;
  description: string;
  value: string;
  /** How many bytes of UTF-8 the switchboard takes. */
  mostBytes: number;
  onChange(value: string): void;
}

/** A field for a line of text that goes to the switchboard; says at once what must not be in it. */
export function SwitchboardText({ label, description, value, mostBytes, onChange }: Props) {
  const { actions } = useTexts();
  const id = useId();
  const problem = problemOfText(value.trim(), mostBytes);
  return (
    <Field
      label={label}
      description={description}
      invalid={problem !== null}
      error={problem && textProblemWords(actions, problem)}
    >
      <Input id={id} value={value} autoComplete="off" onChange={(event) => onChange(event.currentTarget.value)} />
    </Field>
  );
}

/** What is wrong with a text, and what to do about it. */
export function textProblemWords(texts: Texts['actions'], problem: TextProblem): string {
  return problem.is === 'too_long' ? texts.textTooLong(problem.bytes, problem.most) : texts.textCharacter(problem.code);
}
