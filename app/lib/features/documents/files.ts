/** A file's sign, and where its content is, in words. */
import FileArchive from '@lucide/svelte/icons/file-archive';
import FileAudio from '@lucide/svelte/icons/file-headphone';
import FileIcon from '@lucide/svelte/icons/file';
import FileImage from '@lucide/svelte/icons/file-image';
import FileSpreadsheet from '@lucide/svelte/icons/file-spreadsheet';
import FileType from '@lucide/svelte/icons/file-type';
import FileVideo from '@lucide/svelte/icons/file-play';
import type { PersonId } from '#crdt-model/ids.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import { m } from '#lib/paraglide/messages.js';
import { formatPercent } from '#lib/shell/formats.svelte.ts';
import type { IconComponent } from '#lib/ui/icon.ts';
import type { UploadState } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

export function iconOf(mime: string): IconComponent {
	if (mime.startsWith('image/')) return FileImage;
	if (mime.startsWith('audio/')) return FileAudio;
	if (mime.startsWith('video/')) return FileVideo;
	if (/zip|compressed|tar|7z|rar/u.test(mime)) return FileArchive;
	if (/sheet|excel|csv/u.test(mime)) return FileSpreadsheet;
	return mime.startsWith('text/') || /pdf|word|document/u.test(mime) ? FileType : FileIcon;
}

/** Pictures that a browser draws without running anything: what they are is seen from their bytes, not from their type alone. */
export const isPicture = (mime: string): boolean => /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/u.test(mime);

export interface Way {
	readonly words: string;
	readonly text: string | null;
	readonly problem: boolean;
}

/** Where the content of a file is that the relay does not hold yet; null where it does (P9). */
export function wayOf(row: StoredRow<FileRow>, upload: UploadState | undefined, person: PersonId, makerName = ''): Way | null {
	if (row.arrived) return null;
	if (row.createdBy !== person) return { words: m.documents_file_not_here(), text: m.documents_file_not_here_text({ name: makerName }), problem: false };
	if (upload?.problem === 'damaged') return { words: m.documents_file_not_here(), text: m.documents_file_damaged_text(), problem: true };
	if (upload?.problem === 'missing') return { words: m.documents_file_not_here(), text: m.documents_file_missing_text(), problem: true };
	if (row.sync !== 'accepted' || !upload) return { words: m.documents_file_not_here(), text: m.documents_file_kept_here(), problem: false };
	const share = row.size === 0 ? 1 : upload.sent / row.size;
	const percent = formatPercent(share);
	return { words: m.documents_file_sending({ percent }), text: null, problem: false };
}
