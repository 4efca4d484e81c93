/** What the forms of this folder share: errors per field, focus on the first of them, one sending at a time. */
import { tick } from 'svelte';
import { m } from '#lib/paraglide/messages.js';
import type { Answer, Problem } from './api.ts';

export const PASSWORD_MIN = 8;
const LOGIN = /^[a-z0-9._-]{3,40}$/iu;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/u;

export class FormState {
	#busy = $state(false);
	#checked = $state.raw<Readonly<Record<string, string>>>({});
	/** Read anew at every look, so that its words follow the language. */
	#problem = $state.raw<Problem | null>(null);
	/** It names fields, and this form has none of them. */
	#nowhere = $state(false);
	/** Fields that were touched since. */
	#cleared = $state.raw<ReadonlySet<string>>(new Set());

	get busy(): boolean {
		return this.#busy;
	}
	/** A refusal that is about no single field. */
	get text(): string {
		return this.#problem && (this.#nowhere || Object.keys(this.#problem.fields).length === 0) ? this.#problem.text : '';
	}
	of(field: string): string | undefined {
		return this.#cleared.has(field) ? undefined : (this.#checked[field] ?? this.#problem?.fields[field]);
	}
	clear(field: string): void {
		if (this.of(field) !== undefined) this.#cleared = new Set([...this.#cleared, field]);
	}

	/** Checks, then sends; answers with the value, or with nothing after showing what is wrong. */
	async send<T>(form: HTMLElement | undefined, errors: Record<string, string | undefined>, ask: () => Promise<Answer<T>>): Promise<{ readonly value: T } | undefined> {
		if (this.#busy) return undefined;
		const wrong = Object.fromEntries(Object.entries(errors).filter(([, text]) => text !== undefined)) as Record<string, string>;
		this.#problem = null;
		this.#nowhere = false;
		this.#cleared = new Set();
		this.#checked = wrong;
		if (Object.keys(wrong).length > 0) {
			await this.#toFirst(form);
			return undefined;
		}
		this.#busy = true;
		try {
			const answer = await ask();
			if (answer.ok) return answer;
			this.show(answer.problem);
		} finally {
			this.#busy = false;
		}
		await this.#toFirst(form);
		return undefined;
	}

	show(problem: Problem): void {
		this.#problem = problem;
	}

	async #toFirst(form: HTMLElement | undefined): Promise<void> {
		await tick();
		const field = form?.querySelector<HTMLElement>('[aria-invalid=true]');
		if (field) return field.focus();
		this.#nowhere = true;
		await tick();
		form?.querySelector<HTMLElement>('[data-problem]')?.focus();
	}
}

export const checks = {
	filled: (value: string): string | undefined => (value.trim() === '' ? m.account_error_required() : undefined),
	email: (value: string): string | undefined => (value.trim() === '' ? m.account_error_required() : EMAIL.test(value.trim()) ? undefined : m.account_error_email()),
	/** May be left out. */
	login: (value: string): string | undefined => (value.trim() === '' || LOGIN.test(value.trim()) ? undefined : m.account_error_login()),
	same: (value: string, again: string): string | undefined => (again === '' ? m.account_error_required() : value === again ? undefined : m.account_error_not_same()),
	newPassword: (value: string): string | undefined => (value === '' ? m.account_error_required() : [...value].length < PASSWORD_MIN ? m.account_error_password_short() : undefined)
};
