/** The pages of the settings, in their order: each is a subject that an administrator thinks of as one. */
import BadgeCheck from '@lucide/svelte/icons/badge-check';
import Blocks from '@lucide/svelte/icons/blocks';
import Building from '@lucide/svelte/icons/building-2';
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import CalendarDays from '@lucide/svelte/icons/calendar-days';
import Mail from '@lucide/svelte/icons/mail';
import Megaphone from '@lucide/svelte/icons/megaphone';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import { m } from '#lib/paraglide/messages.js';
import type { IconComponent } from '#lib/ui/icon.ts';

export const PAGES = ['company', 'formats', 'hours', 'communication', 'services', 'entry', 'letters'] as const;
export type SettingsPage = (typeof PAGES)[number];

export interface PageEntry {
	readonly id: SettingsPage | 'licence';
	readonly label: () => string;
	readonly icon: IconComponent;
}

/** The licence has a screen of its own. */
export const pages: readonly PageEntry[] = [
	{ id: 'company', label: m.settings_company, icon: Building },
	{ id: 'formats', label: m.settings_formats, icon: CalendarDays },
	{ id: 'hours', label: m.settings_hours, icon: CalendarClock },
	{ id: 'communication', label: m.settings_communication, icon: Megaphone },
	{ id: 'services', label: m.settings_services, icon: Blocks },
	{ id: 'entry', label: m.settings_entry, icon: ShieldCheck },
	{ id: 'letters', label: m.settings_letters, icon: Mail },
	{ id: 'licence', label: m.settings_licence, icon: BadgeCheck }
];

export const isPage = (text: string | undefined): text is SettingsPage => PAGES.some((one) => one === text);
