/** The sections of the portal: a section is added here once it works. */
import Archive from '@lucide/svelte/icons/archive';
import Building from '@lucide/svelte/icons/building-2';
import CircleCheck from '@lucide/svelte/icons/circle-check-big';
import FileText from '@lucide/svelte/icons/file-text';
import Handshake from '@lucide/svelte/icons/handshake';
import SettingsIcon from '@lucide/svelte/icons/settings';
import type { ServiceId } from '#crdt-model/kinds/services.ts';
import { m } from '#lib/paraglide/messages.js';
import type { IconComponent } from '#lib/ui/icon.ts';
import { portalLook } from './portal.svelte.ts';
import { services } from './services.svelte.ts';

export type SectionId = 'tasks' | 'crm' | 'documents' | 'company' | 'set-aside' | 'settings';

export interface Section {
	id: SectionId;
	path: `/${string}`;
	label: () => string;
	/** For the bar of a phone, where five stand side by side. */
	short?: () => string;
	icon: IconComponent;
	/** The letter after `g`. */
	key: string;
	/** Where the company may switch it off. */
	service?: ServiceId;
	/** Of use to administrators alone. */
	administrators?: true;
}

export const sections: readonly Section[] = [
	{ id: 'tasks', path: '/tasks', label: m.common_section_tasks, icon: CircleCheck, key: 't', service: 'tasks' },
	{ id: 'crm', path: '/crm', label: m.common_section_crm, icon: Handshake, key: 'c', service: 'crm' },
	{ id: 'documents', path: '/documents', label: m.common_section_documents, icon: FileText, key: 'd', service: 'documents' },
	{ id: 'company', path: '/company', label: m.common_section_company, icon: Building, key: 'o' },
	{ id: 'set-aside', path: '/set-aside', label: m.common_section_set_aside, short: m.common_section_set_aside_short, icon: Archive, key: 's' },
	{ id: 'settings', path: '/settings', label: m.common_section_settings, icon: SettingsIcon, key: 'e', administrators: true }
];

/** Those that the company uses, and the person. */
export function shownSections(): readonly Section[] {
	const { administers } = portalLook();
	return sections.filter(({ service, administrators }) => !services.isOff(service) && (administers || !administrators));
}

export function sectionOf(pathname: string): Section | undefined {
	return sections.find((section) => pathname === section.path || pathname.startsWith(`${section.path}/`));
}
