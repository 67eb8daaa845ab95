import React from 'react';

import type { Me } from '../api/types';
import { useTexts } from '../i18n';
import { Facts } from './Facts';

/** Name, login and role of who is signed in. */
export function WhoIAm({ me }: { me: Me }) {
  const { me: texts, common } = useTexts();
  const roles = me.roles.map((role) => common.roles[role]).join(', ');
  return (
    <Facts
      label={texts.whoIAm}
      facts={[
        [texts.name, me.name],
        [texts.login, me.login || common.none],
        [texts.role, roles || texts.noRole],
      ]}
    />
  );
}
