/** A picture becomes the portal's logo: kept on this device at once, uploaded when there is a network, like any file. */
import type { DocumentId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { reasonOf } from '../set-aside/reasons.ts';
import { knowsOf } from '../set-aside/run.ts';

type FileId = DocumentId<'file'>;
const setLogo = (settings: DocumentId, value: FileId | null) => ({ document: settings, name: 'settings.setLogo', args: { value } });

/**
 * @param picture cut to a square and small (ui/Cropper)
 * @param former shown until now: its bytes count no longer
 * @returns a sentence where it did not work; nothing was changed then
 */
export async function takeLogo(workspace: Workspace, settings: DocumentId, picture: File, former: FileId | null): Promise<string | undefined> {
	const added = await workspace.files.add(picture, 'face');
	if (added.kind !== 'added') return added.kind === 'refused' ? reasonOf(added.result.refusal, knowsOf(workspace)) : m.settings_logo_not_kept();
	const set = await workspace.run(setLogo(settings, added.file));
	if (set.kind === 'refused') {
		await workspace.run({ document: added.file, name: 'file.delete', args: {} });
		return reasonOf(set.refusal, knowsOf(workspace));
	}
	if (former) await letGo(workspace, former);
	return undefined;
}

export async function dropLogo(workspace: Workspace, settings: DocumentId, former: FileId | null): Promise<string | undefined> {
	const set = await workspace.run(setLogo(settings, null));
	if (set.kind === 'refused') return reasonOf(set.refusal, knowsOf(workspace));
	if (former) await letGo(workspace, former);
	return undefined;
}

async function letGo(workspace: Workspace, file: FileId): Promise<void> {
	const draft = { document: file, name: 'file.delete', args: {} };
	if ((await workspace.may(draft)).allow) await workspace.run(draft);
}
