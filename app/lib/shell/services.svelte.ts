/** Which services the portal has switched off: read by everything that would lead there. Reported by whoever has the workspace. */
import { SERVICES, type ServiceId } from '#crdt-model/kinds/services.ts';
import { m } from '#lib/paraglide/messages.js';

class Services {
	#off = $state.raw<readonly ServiceId[]>([]);

	get off(): readonly ServiceId[] {
		return this.#off;
	}
	isOff(service: ServiceId | null | undefined): boolean {
		return service != null && this.#off.includes(service);
	}
	/** @param off also of a newer version of the app, which may know more services */
	report(off: readonly ServiceId[]): void {
		const known = SERVICES.filter((one) => off.includes(one));
		if (known.join() !== this.#off.join()) this.#off = known;
	}
}

export const services = new Services();

const names: Readonly<Record<ServiceId, () => string>> = { tasks: m.common_section_tasks, crm: m.common_section_crm, documents: m.common_section_documents, groups: m.common_service_groups };
export const serviceName = (service: ServiceId): string => names[service]();
