/** What somebody has typed into the dialog of inviting: it stays while the dialog is closed, so that no network and no slip of the finger costs it. */
import type { InvitationResult } from './relay.ts';

export const WAYS = ['letter', 'link', 'direct'] as const;
export type Way = (typeof WAYS)[number];
/** In days. */
export const EXPIRIES = ['1', '7', '30', '90'] as const;

export class InviteDraft {
	way = $state<Way>('letter');
	/** A department's id; empty for none. */
	department = $state('');
	groups = $state.raw<string[]>([]);

	// ---- by letter
	text = $state('');
	results = $state.raw<readonly InvitationResult[] | null>(null);

	// ---- by link
	approval = $state(true);
	expiresInDays = $state<string>('7');
	/** The address of a link that was just made: the code is told once. */
	link = $state('');

	// ---- directly
	firstName = $state('');
	lastName = $state('');
	email = $state('');
	position = $state('');
	password = $state('');

	clearPerson(): void {
		this.firstName = this.lastName = this.email = this.position = this.password = '';
	}
}
