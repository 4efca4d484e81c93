/**
 * What a service that is switched off (settings.servicesOff) means: nobody's command or edit touches what is of it, administrators' included, and it is
 * not read anywhere but on devices that hold it already. The relay's own word stands (hand-overs, imports): what is off is not frozen, it is put away.
 *
 * Workgroups and CRM roles are of a service and yet go to every device as before: rights follow from them (directory.ts), and a device that knew
 * them no more would judge otherwise than the relay.
 */
import { serviceOf, type ServiceId } from '../kinds/services.ts';
import type { SettingsRow } from '../kinds/settings.ts';
import type { BaseRow } from '../record/kind.ts';
import { refuse, type Refusal } from '../wire/refusal.ts';
import { DIRECTORY_KINDS } from './directory.ts';

/** The service of a record where that is switched off; null where the record is there to be worked with. */
export function offServiceOf(row: BaseRow, off: readonly ServiceId[]): ServiceId | null {
	if (off.length === 0) return null;
	const service = serviceOf(row);
	return service !== null && off.includes(service) ? service : null;
}

/** Whether a record is sent to no device just now. */
export function isWithheld(row: BaseRow, off: readonly ServiceId[]): boolean {
	return !(DIRECTORY_KINDS as readonly string[]).includes(row.kind) && offServiceOf(row, off) !== null;
}

/**
 * The refusal of a person's change to what is switched off; null where nothing is in the way.
 * @param row the record as the author may know it: before the change, or as it would be made
 */
export function refusedByService(row: BaseRow, settings: Pick<SettingsRow, 'servicesOff'> | null): Refusal | null {
	// A device may hold settings of a release that knew no services.
	const service = offServiceOf(row, settings?.servicesOff ?? []);
	return service && serviceRefusal(service);
}

export function serviceRefusal(service: ServiceId): Refusal {
	return refuse('service-off', `${service} is switched off`, { rule: `service.${service}`, who: ['admins'] });
}
