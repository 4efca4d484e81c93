/** What the forms of this folder share: errors per field, focus on the first of them, one sending at a time. */
import { tick } from 'svelte';
import { m } from '#lib/paraglide/messages.js';
import type { Answer, Problem } from './account.svelte.ts';

export const PASSWORD_MIN = 8;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/u;

export class FormState {
	#busy = $state(false);
	#errors = $state.raw<Readonly<Record<string, string>>>({});
	#text = $state('');

	get busy(): boolean {
		return this.#busy;
	}
	get text(): string {
		return this.#text;
	}
	of(field: string): string | undefined {
		return this.#errors[field];
	}
	clear(field: string): void {
		if (this.#errors[field] === undefined) return;
		const { [field]: _, ...others } = this.#errors;
		this.#errors = others;
	}

	/** Checks, then sends; returns the value, or nothing after showing what is wrong. */
	async send<T>(form: HTMLElement | undefined, errors: Record<string, string | undefined>, ask: () => Promise<Answer<T>>): Promise<T | undefined> {
		if (this.#busy) return undefined;
		const wrong = Object.fromEntries(Object.entries(errors).filter(([, text]) => text !== undefined)) as Record<string, string>;
		this.#text = '';
		this.#errors = wrong;
		if (Object.keys(wrong).length > 0) {
			await this.#toFirst(form);
			return undefined;
		}
		this.#busy = true;
		try {
			const answer = await ask();
			if (answer.ok) return answer.value;
			this.show(answer.problem);
		} finally {
			this.#busy = false;
		}
		await this.#toFirst(form);
		return undefined;
	}

	show(problem: Problem): void {
		this.#errors = problem.fields;
		this.#text = Object.keys(problem.fields).length > 0 ? '' : problem.text;
	}

	async #toFirst(form: HTMLElement | undefined): Promise<void> {
		await tick();
		const first = form?.querySelector<HTMLElement>('[aria-invalid=true]') ?? form?.querySelector<HTMLElement>('[data-problem]');
		first?.focus();
	}
}

export const checks = {
	filled: (value: string): string | undefined => (value.trim() === '' ? m.account_error_required() : undefined),
	email: (value: string): string | undefined => (value.trim() === '' ? m.account_error_required() : EMAIL.test(value.trim()) ? undefined : m.account_error_email()),
	newPassword: (value: string): string | undefined => (value === '' ? m.account_error_required() : [...value].length < PASSWORD_MIN ? m.account_error_password_short() : undefined)
};
