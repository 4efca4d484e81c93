/** Who may change CRM roles: administrators alone; a role is everybody's to read, so that "why can I" has an answer. */
import { allow, deny, type Rules } from './verdict.ts';

export const roleRules: Rules = {
	change: (actor) => (actor.principals.has('admins') ? allow('role.administrators-change') : deny('role.administrators-change', 'admins'))
};
