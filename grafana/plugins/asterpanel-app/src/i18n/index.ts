import { config } from '@grafana/runtime';

import * as en from './en';
import * as it from './it';
import { Language, languageOf } from './language';

/** Every text for people, by area; what has a number or a name in it is a function. */
export type Texts = typeof en;

const TEXTS: Record<Language, Texts> = { en, it };

/** The language of this page. */
export function currentLanguage(): Language {
  return languageOf(config.bootData?.user?.language, navigator.language, config.buildInfo?.version ?? '');
}

/** The texts in the language of this page, outside of components. */
export function texts(): Texts {
  return TEXTS[currentLanguage()];
}

/** The texts in the language of this page. */
export function useTexts(): Texts {
  return texts();
}
