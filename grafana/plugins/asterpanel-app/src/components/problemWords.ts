import type { ApiError } from '../api/ApiError';
import type { Texts } from '../i18n';
import { ownValue } from '../view/records';

/** What is wrong, and what to do next. */
export interface ProblemWords {
  title: string;
  next: string;
}

type Problems = Texts['panel']['problems'];

/** Why there is nothing to see, in words. */
export function problemWords({ problems }: { problems: Problems }, error: ApiError): ProblemWords {
  const { noProfile, outOfSight, ...byId } = problems;
  return ownValue<ProblemWords>(byId, error.id) ?? problems.other;
}
