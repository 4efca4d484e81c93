/** The administrator's first steps: each is ticked by what the portal holds, never by hand. Pure. */
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import { m } from '#lib/paraglide/messages.js';

export interface Held {
	readonly departments: readonly Pick<DepartmentRow, 'deleted'>[];
	readonly people: readonly Pick<EmployeeRow, 'active'>[];
	readonly settings: Pick<SettingsRow, 'logo' | 'accent' | 'contact'>;
	/** Whether anybody has written a task or a document yet. */
	readonly hasWork: boolean;
}
export interface FirstStep {
	readonly id: 'structure' | 'people' | 'settings' | 'work';
	readonly label: () => string;
	readonly text: () => string;
	readonly href: string;
	readonly done: boolean;
}

export function firstSteps({ departments, people, settings, hasWork }: Held): readonly FirstStep[] {
	return [
		{ id: 'structure', label: m.start_step_structure, text: m.start_step_structure_text, href: '/company', done: departments.filter(({ deleted }) => !deleted).length > 1 },
		{ id: 'people', label: m.start_step_people, text: m.start_step_people_text, href: '/company?tab=people&invite', done: people.filter(({ active }) => active).length > 1 },
		{ id: 'settings', label: m.start_step_settings, text: m.start_step_settings_text, href: '/settings/company', done: Boolean(settings.logo || settings.accent || settings.contact) },
		{ id: 'work', label: m.start_step_work, text: m.start_step_work_text, href: '/tasks?new', done: hasWork }
	];
}
