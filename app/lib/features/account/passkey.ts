/**
 * Passkeys as the browser has them: asked for by a button, or offered in the field of the name, where the browser lists what it has among its own suggestions.
 *
 * Promises: the offer takes nothing from the button: whoever presses it gets the browser's question, and the offer gives way; it waits without a word, is asked
 * for anew before its challenge lapses while somebody looks, and ends with the screen.
 * It is made only where a passkey was used or added before (a note without a secret on the device): a challenge for every sign-in screen that anybody opens would push
 * the challenges of people who need theirs out of the relay's bounded memory. Elsewhere there is the button.
 */
import * as v from 'valibot';
import { call, type Answer } from './api.ts';

/** The relay's challenges live for five minutes. */
const OFFER_MS = 4 * 60_000;
const DEVICE_KEY = 'atrium.passkey';

const optionsAnswer = v.object({ ticket: v.string(), options: v.looseObject({ challenge: v.string() }) });

export interface AnsweredPasskey {
	readonly ticket: string;
	/** As the browser says it. */
	readonly passkey: unknown;
}

/**
 * @param isOffered in the field of the name, in place of a question of the browser's own, as long as this says yes
 * @returns null where the person closed the question, or another one took the offer's place
 */
export async function askPasskey(isOffered?: () => boolean): Promise<Answer<AnsweredPasskey | null>> {
	const asked = await call('POST', '/passkeys/options', { send: {}, answer: optionsAnswer, portal: null });
	if (!asked.ok) return asked;
	const { ticket, options } = asked.value;
	try {
		const { startAuthentication } = await import('@simplewebauthn/browser');
		// It would end the question that took its place meanwhile.
		if (isOffered?.() === false) return { ok: true, value: null };
		const passkey = await startAuthentication({ optionsJSON: options as unknown as Parameters<typeof startAuthentication>[0]['optionsJSON'], useBrowserAutofill: isOffered !== undefined });
		return { ok: true, value: { ticket, passkey } };
	} catch {
		// Closed, timed out, or no passkey on this device: the browser does not tell these apart.
		return { ok: true, value: null };
	}
}

/** Whether this browser has had a passkey of somebody here. */
export function hadPasskey(): boolean {
	try {
		return localStorage.getItem(DEVICE_KEY) !== null;
	} catch {
		return false;
	}
}
export function rememberPasskey(had: boolean): void {
	try {
		if (had) localStorage.setItem(DEVICE_KEY, 'had');
		else localStorage.removeItem(DEVICE_KEY);
	} catch {
		// Storage is forbidden: there is the button.
	}
}

/** Offers passkeys in the field whose `autocomplete` ends in `webauthn`, until it is stopped. @param onpicked the person chose one @returns how to stop */
export function offerPasskeys(onpicked: (answered: AnsweredPasskey) => void): () => void {
	let round = 0;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let isDue = false;
	let giveUp = (): void => {};
	const again = (): void => {
		if (document.visibilityState === 'visible') void offer();
		else isDue = true;
	};
	const onVisibility = (): void => {
		if (isDue) again();
	};
	async function offer(): Promise<void> {
		const mine = ++round;
		isDue = false;
		clearTimeout(timer);
		const { browserSupportsWebAuthnAutofill, WebAuthnAbortService } = await import('@simplewebauthn/browser');
		if (!(await browserSupportsWebAuthnAutofill()) || mine !== round) return;
		giveUp = () => WebAuthnAbortService.cancelCeremony();
		timer = setTimeout(again, OFFER_MS);
		// A newer offer makes the browser end the one before.
		const answered = await askPasskey(() => mine === round);
		if (mine === round && answered.ok && answered.value) onpicked(answered.value);
	}
	document.addEventListener('visibilitychange', onVisibility);
	void offer();
	return () => {
		round++;
		clearTimeout(timer);
		document.removeEventListener('visibilitychange', onVisibility);
		giveUp();
	};
}
