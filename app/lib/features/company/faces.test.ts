import { expect, test } from 'vitest';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import { employeeRow, fileRow } from '#crdt-model/testing/company.ts';
import { documentId, person } from '#crdt-model/testing/world.ts';
import { eraseDrafts, facesOf } from './faces.ts';

test('with the profile go the photo and the ones before it, and no picture of anybody else', () => {
	const face = (n: number, more: Partial<FileRow> = {}) => fileRow({ id: documentId('file', n), createdBy: person(1), place: 'face', ...more });
	const files = [face(1), face(2), face(3), face(4, { createdBy: person(2) }), face(5, { deleted: true }), face(6, { place: 'company' }), face(7, { createdBy: person(2) })];
	const gone = employeeRow(1, { photo: documentId('file', 7) });
	const faces = facesOf(gone, files, new Set([documentId('file', 3)]));
	expect(faces.map(({ id }) => id)).toEqual([1, 2, 7].map((n) => documentId('file', n)));
	expect(eraseDrafts(gone, true, faces.slice(0, 1))).toEqual([
		{ document: gone.id, name: 'employee.erase', args: { name: true } },
		{ document: documentId('file', 1), name: 'file.delete', args: {} }
	]);
});
