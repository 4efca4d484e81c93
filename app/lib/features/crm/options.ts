/** Companies and products as choices, in the order of the language. */
import { preferences } from '#lib/shell/preferences.svelte.ts';
import type { ComboOption } from '#lib/ui/Combobox.svelte';
import type { Crm } from './crm.svelte.ts';

function inOrder(options: ComboOption[]): ComboOption[] {
	const order = new Intl.Collator(preferences.locale, { numeric: true });
	return options.sort((a, b) => order.compare(a.label, b.label));
}

export function companyOptions(crm: Crm): ComboOption[] {
	return inOrder(
		crm.companies.rows.map((row) => {
			const hint = [row.sector, row.location].filter(Boolean).join(' · ');
			return { id: row.id, label: row.name, ...(hint && { hint }) };
		})
	);
}

export function productOptions(crm: Crm): ComboOption[] {
	return inOrder(crm.products.rows.map((row) => ({ id: row.id, label: row.name, ...(row.price !== null && { hint: crm.money(row.price) }) })));
}
