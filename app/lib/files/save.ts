/** Hands a file to the browser's own downloads, by a link that nobody sees. */
export function save(name: string, address: string): void {
	const link = document.createElement('a');
	link.href = address;
	link.download = name;
	document.body.append(link);
	link.click();
	link.remove();
}

/** Long enough for the slowest dialog "where to"; the bytes themselves are the blob's. */
const ADDRESS_MS = 60_000;

export function saveBlob(name: string, bytes: Blob): void {
	// As bytes, whatever it is: nothing of it is ever opened as a page of this address.
	const address = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
	save(name, address);
	setTimeout(() => URL.revokeObjectURL(address), ADDRESS_MS);
}
