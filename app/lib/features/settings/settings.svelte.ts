/**
 * The portal's settings as their screens show and change them: each field is one command, kept on the device at once, with its Undo.
 *
 * Promises: what another administrator changes shows in place; a field that the tariff locks says which tariff brings it. Leaves to others: whether a command may be (the rule book).
 */
import type { DocumentId } from '#crdt-model/ids.ts';
import type { SettingName, SettingsRow } from '#crdt-model/kinds/settings.ts';
import { isBox, plansWith, type Feature } from '#crdt-model/tariff/plans.ts';
import { m } from '#lib/paraglide/messages.js';
import { liveRows, settingsOf } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { runOrTell } from '../set-aside/run.ts';
import { tariffReason } from '../tariff/words.ts';

type Name = SettingName | 'company';

export class Settings {
	readonly workspace: Workspace;
	#last: Promise<unknown> = Promise.resolve();

	constructor(workspace: Workspace) {
		this.workspace = workspace;
	}

	get row(): StoredRow<SettingsRow> | null {
		return settingsOf(this.workspace) ?? null;
	}
	/** False until the device's database has answered. */
	get ready(): boolean {
		return liveRows(this.workspace, 'settings').ready;
	}

	/** Settings are the administrators'; whoever looks on as somebody else changes nothing. */
	readonly mayChange = $derived.by(() => {
		void this.workspace.structure;
		return this.workspace.viewer === null && this.workspace.replica.directory.isAdministrator(this.workspace.person);
	});

	/** Why the portal's tariff leaves a feature out, and which bring it; undefined where it has it, or is not known yet. */
	lockedBy(feature: Feature): string | undefined {
		const { tariff } = this.workspace;
		if (!tariff || tariff.features.includes(feature)) return undefined;
		return tariffReason({ plan: tariff.plan, feature, ways: plansWith(feature, isBox(tariff.plan) ? 'box' : 'cloud') });
	}

	/** @param label what is changed, for the notice with Undo */
	set<K extends Name>(name: K, value: SettingsRow[K], label: string): Promise<boolean> {
		return this.change(name, () => value, label);
	}

	/**
	 * For a field that holds several things: `next` gets what the field is once every change before is kept, which is not so yet when it is asked for. Two
	 * entries removed one right after the other are both gone then.
	 */
	change<K extends Name>(name: K, next: (now: SettingsRow[K]) => SettingsRow[K], label: string): Promise<boolean> {
		const changed = this.#last.then(() => this.#change(name, next, label));
		this.#last = changed.catch(() => {});
		return changed;
	}

	async #change<K extends Name>(name: K, next: (now: SettingsRow[K]) => SettingsRow[K], label: string): Promise<boolean> {
		// The live row follows this tab's own commits at once: it is what the change before has left.
		const { row } = this;
		if (!row) return false;
		const before = row[name];
		const value = next(before);
		if (JSON.stringify(before) === JSON.stringify(value)) return true;
		const draft = (to: unknown) => ({ document: row.id as DocumentId<'settings'>, name: `settings.set${name.charAt(0).toUpperCase()}${name.slice(1)}`, args: { value: to } });
		if (!(await runOrTell(this.workspace, draft(value)))) return false;
		toasts.show(m.settings_changed({ what: label }), { action: { label: m.common_undo(), run: () => void runOrTell(this.workspace, draft(before)) } });
		return true;
	}
}
