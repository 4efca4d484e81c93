/** A picture becomes a person's photo or the company's logo: kept on this device at once, uploaded when there is a network, like any file. */
import type { DocumentId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { knowsOf } from '../set-aside/run.ts';
import { reasonOf } from '../set-aside/reasons.ts';

/**
 * @param picture already cut to a square and small (ui/Cropper)
 * @param owner whose field it becomes: a person's `employee.setPhoto`, the portal's `settings.setLogo`
 * @param former shown until now; its bytes count no longer
 * @returns a sentence where it did not work; nothing was changed then
 */
export async function takeFace(workspace: Workspace, picture: File, owner: { document: DocumentId; command: string }, former: DocumentId<'file'> | null): Promise<string | undefined> {
	const added = await workspace.files.add(picture, 'face');
	if (added.kind !== 'added') return added.kind === 'refused' ? reasonOf(added.result.refusal, knowsOf(workspace)) : m.profile_photo_not_kept();
	const set = await workspace.run({ document: owner.document, name: owner.command, args: { value: added.file } });
	if (set.kind === 'refused') {
		await workspace.run({ document: added.file, name: 'file.delete', args: {} });
		return reasonOf(set.refusal, knowsOf(workspace));
	}
	if (former) await letGo(workspace, former);
	return undefined;
}

/** Takes the picture away. */
export async function dropFace(workspace: Workspace, owner: { document: DocumentId; command: string }, former: DocumentId<'file'> | null): Promise<string | undefined> {
	const set = await workspace.run({ document: owner.document, name: owner.command, args: { value: null } });
	if (set.kind === 'refused') return reasonOf(set.refusal, knowsOf(workspace));
	if (former) await letGo(workspace, former);
	return undefined;
}

/** Only its maker and administrators may; for others it stays, and takes some kilobytes. */
async function letGo(workspace: Workspace, file: DocumentId<'file'>): Promise<void> {
	const draft = { document: file, name: 'file.delete', args: {} };
	if ((await workspace.may(draft)).allow) await workspace.run(draft);
}
